#!/usr/bin/python3
"""Holds the sources against the project's rules and prints each breach as FILE:LINE: what, and what to do.

- A layer includes only itself and the layers below it (LAYERS); tests follow the layer that they test.
- A library appears only in the files that are there to hide it (LIBRARIES).
- Headers include each other without a cycle.
- No function is longer than LONGEST lines, C++ and Python.
- No text file names a directory of somebody's machine.

With --layers only the first three: that is what the build runs. Without: the test suite's run, with --self-test first.
"""
import argparse
import ast
import re
import subprocess
import sys
from pathlib import Path

# The layer and those right below it; what these may include, it may include too.
LAYERS = {
    "base": [],
    "json": ["base"],
    "schema": ["json"],
    "crd": ["schema"],
    "kube": ["json"],
    "runtime": ["kube"],
    "admin": ["crd", "kube", "runtime"],
    "plan": ["admin"],
    "deployment": ["plan"],
    "cluster": ["plan"],
    "cloud": ["plan"],
    "cli": ["deployment", "cluster", "cloud"],
    "app": ["cli"],
    "fake": ["admin"],  # tests/fake: stand-ins for the servers
}
# Include prefix -> the files under src/ and include/ that may have it. Tests may include what they like.
LIBRARIES = {
    "cpprest/": r"src/kube/rest_http[^/]*",
    "pplx/": r"src/kube/rest_http[^/]*",
    "boost/beast": r"src/app/web\.cpp",
    "boost/": r"src/app/web\.cpp|src/kube/rest_http[^/]*",
    "prometheus/": r"src/app/metrics\.cpp",
    "CLI/": r"src/app/(user_|preview_)?settings\.(cpp|h)",
    "rapidjson/": r"src/json/[^/]*",
    "yaml-cpp/": r"src/json/yaml[^/]*",
    "toml++/": r"src/cluster/server_config\.cpp",
    "grpc": r"src/admin/node_client\.cpp",
    "google/protobuf": r"src/admin/node_client\.cpp",
    "node_ctl.": r"src/admin/node_client\.cpp",  # generated
    "cluster_ctrl.": r"src/admin/node_client\.cpp",
    "openssl/": r"src/kube/[^/]*|src/base/digest\.cpp",
}
LONGEST = 60
PLACES = re.compile(r"(?<![\w.})\]$~-])/(?:" + "work|root|home/[a-z]+" + r")/")
GENERATED = re.compile(r"(^|/)(go\.sum|package-lock\.json)$")


def allowed_layers(layer):
    found = {layer}
    for below in LAYERS[layer]:
        found |= allowed_layers(below)
    return found


def layer_of(path):
    """The layer a file belongs to, None when it is in no layer's directory."""
    match = re.match(r"(?:include/restate|src|tests)/([^/]+)/", path)
    return match[1] if match and match[1] in LAYERS else None


def includes(text):
    """(line, name, quoted) of every include; comments do not matter here."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line):
            yield number, match[2], match[1] == '"'


def resolve(path, name, files):
    """The project's file that `name`, included from `path`, means; None: not ours."""
    here = str((Path("/") / Path(path).parent / name).resolve())[1:]
    return next((place for place in (here, f"include/{name}", f"tests/{name}") if place in files), None)


def check_include(path, name, quoted, files):
    """What is wrong with one include, None when nothing is."""
    test, layer, target = path.startswith("tests/"), layer_of(path), resolve(path, name, files)
    if target is None and quoted and name.startswith("restate/"):
        return f"there is no {name}"
    if target and target.startswith("tests/") and not test:
        return f"the product includes {name} of the tests"
    if layer and target and (below := layer_of(target)):
        allowed = allowed_layers(layer) | ({"fake"} if test else set())
        if below not in allowed:
            seen = ", ".join(sorted(allowed - {layer})) or "itself only"
            return f"layer {layer} includes {name} of layer {below}; it may see {seen}"
    prefix = next((prefix for prefix in LIBRARIES if name.startswith(prefix)), None)
    if prefix and not test and not re.fullmatch(LIBRARIES[prefix], path):
        return f"{name} is used in {LIBRARIES[prefix]} only; go through that file's interface"
    return None


def check_includes(files):
    for path, text in files.items():
        for line, name, quoted in includes(text):
            if wrong := check_include(path, name, quoted, files):
                yield f"{path}:{line}: {wrong}"


def check_known_layers(files):
    for path in files:
        match = re.match(r"(?:include/restate|src)/([^/]+)/", path)
        if match and match[1] not in LAYERS:
            yield f"{path}:1: {match[1]} is no known layer; say in tests/check_layers.py what it may include"


def check_cycles(files):
    graph = {path: [target for _, name, _ in includes(text) if (target := resolve(path, name, files))]
             for path, text in files.items()}
    done = set()

    def visit(path, trail):
        if path in trail:
            yield f"{path}:1: includes itself: " + " -> ".join([*trail[trail.index(path):], path])
        elif path not in done:
            for target in graph[path]:
                yield from visit(target, [*trail, path])
            done.add(path)

    for path in graph:
        yield from visit(path, [])


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                   r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.S | re.M)


def blank(text):
    """The text without comments, literals and preprocessor lines; line numbers stay."""
    return TOKEN.sub(lambda match: "\n" * match[0].count("\n") + '""' * match[0].startswith(('"', 'R"')), text)


def long_functions(text):
    """(line, lines, head) of every function that is too long: a brace that follows a parenthesis outside of any
    function opens one. Enough for formatted code; macros such as TEST_CASE count as functions."""
    stack, head, parens, line = [], "", 0, 1
    for char in blank(text):
        line += char == "\n"
        inside = any(kind == "function" for kind, _, _ in stack)
        if char == "{":
            scope = re.search(r"\b(namespace|class|struct|union|enum)\b[^()]*$|\bTEST_SUITE\b", head)
            kind = "function" if not inside and parens == 0 and "(" in head and not scope else "other"
            stack.append((kind, line, head))
        elif char == "}" and stack:
            kind, start, name = stack.pop()
            if kind == "function" and line - start + 1 > LONGEST:
                yield start, line - start + 1, " ".join(name.split())
        parens += (char == "(") - (char == ")")
        head = "" if char in "{};" and parens == 0 else head + char


def check_cpp_length(files):
    for path, text in files.items():
        for line, lines, head in long_functions(text):
            yield f"{path}:{line}: {lines} lines in one function, {LONGEST} is the limit: {head[:80]}"


def check_python_length(path, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            if lines > LONGEST:
                yield f"{path}:{node.lineno}: {lines} lines in one function, {LONGEST} is the limit: {node.name}"


def check_places(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if match := PLACES.search(line):
            yield f"{path}:{number}: names a directory of one machine ({match[0]})"


def listed(root):
    """Relative paths of the project's files: git's, or all of an unpacked archive."""
    git = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if git.returncode == 0:
        return [path for path in git.stdout.splitlines() if (root / path).is_file()]
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not path.parts[0].startswith(("build", ".")))


def texts(root, paths):
    for path in paths:
        try:
            yield path, (root / path).read_text()
        except (UnicodeDecodeError, FileNotFoundError):  # not a text; or gone since it was listed
            continue


def breaches(root, layers_only):
    everything = listed(root)
    sources = dict(texts(root, [path for path in everything if re.match(r"(include|src|tests)/.*\.(h|cpp)$", path)]))
    if not sources:
        yield f"{root}: no sources found"
    for check in (check_includes, check_known_layers, check_cycles):
        yield from check(sources)
    if layers_only:
        return
    yield from check_cpp_length(sources)
    for path, text in texts(root, everything):
        if path.endswith(".py"):
            yield from check_python_length(path, text)
        if not GENERATED.search(path):
            yield from check_places(path, text)


def expect(what, found, wanted):
    found = [line.split(": ")[0] for line in found]
    if found != wanted:
        sys.exit(f"self-test: {what}: found {found}, wanted {wanted}")


def self_test():
    """Each rule finds its breach in a sample and nothing in a clean one."""
    tree = {
        "include/restate/base/a.h": '#include "restate/base/b.h"\n',
        "include/restate/base/b.h": "",
        "src/json/text.cpp": '#include "restate/base/a.h"\n#include <rapidjson/reader.h>\n#include "number.h"\n',
        "src/json/number.h": "",
        "tests/fake/server.h": "#include <boost/asio.hpp>\n",
        "tests/kube/x_test.cpp": '#include "fake/server.h"\n#include "../../src/json/number.h"\n',
        "tests/test_main.cpp": '#include "restate/base/a.h"\n',
        "src/app/web.cpp": "#include <boost/beast/core.hpp>\n",
    }
    expect("clean tree", [*check_includes(tree), *check_known_layers(tree), *check_cycles(tree)], [])
    for path, text, wanted in (
            ("src/base/x.cpp", '\n#include "restate/json/v.h"\n', "src/base/x.cpp:2"),         # upward, and missing
            ("src/base/x.cpp", '#include "../json/number.h"\n', "src/base/x.cpp:1"),           # upward by a path
            ("src/kube/client.cpp", "#include <cpprest/http_client.h>\n", "src/kube/client.cpp:1"),
            ("src/kube/rest_http.cpp", "#include <boost/beast.hpp>\n", "src/kube/rest_http.cpp:1"),
            ("include/restate/app/web.h", "#include <boost/asio.hpp>\n", "include/restate/app/web.h:1"),
            ("src/kube/x.cpp", '#include "fake/server.h"\n', "src/kube/x.cpp:1"),
            ("src/kube/rest_http_streams.h", "#include <boost/asio/ssl.hpp>\n", None)):
        found = list(check_includes({**tree, path: text}))
        expect(f"{path} with {text!r}", found[:1], [wanted] if wanted else [])
    expect("layer", check_known_layers({"src/tools/x.cpp": ""}), ["src/tools/x.cpp:1"])
    expect("cycle", check_cycles({**tree, "include/restate/base/b.h": '#include "restate/base/a.h"\n'}),
           ["include/restate/base/a.h:1"])
    self_test_lengths()
    place = "/" + "work/x"
    expect("place", check_places("x.md", f"see\n{place}\n"), ["x.md:2"])
    expect("no place", check_places("x.md", f"a{place} $d{place} https://h.org{place}\n"), [])


def self_test_lengths():
    long = "\n" * LONGEST
    for sample, wanted in (
            (f"int F() {{{long}}}", ["f:1"]),
            (f"namespace a {{\n  X::X() : a_{{1}}, b_(2) {{{long}}}\n}}", ["f:2"]),
            (f'TEST_CASE("}} {{") {{{long}}}', ["f:1"]),
            (f'TEST_SUITE("a") {{{long}\nTEST_CASE("b") {{}}\n}}', []),
            (f"class A {{\n void G(int i = {{}}) const {{ if (i) {{{long}}} }}\n}};", ["f:2"]),
            (f"void F() {{\n  // }}\n  const char c = '}}';{long}}}", ["f:1"]),
            (f"namespace a {{{long} int F() {{ return 1'000; }} }}", []),
            (f"struct A {{{long} void F() {{}} }};", []),
            (f"constexpr std::array kTable{{{long}}};", []),
            (f'const char* k = R"({long}int F() {{)"; void F() {{ }}{long}', []),
            (f"#define X(a) \\\n  if (a) {{\nint f() {{\n}}{long}", [])):
        expect(repr(sample), check_cpp_length({"f": sample}), wanted)
    body = "    pass\n" * LONGEST
    expect("python", check_python_length("f", f"def f():\n{body}"), ["f:1"])
    expect("short python", check_python_length("f", f"def f():\n    pass\n{body.replace('    ', '')}"), [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--layers", action="store_true", help="only includes: quick enough for every build")
    parser.add_argument("--self-test", action="store_true", help="first try the rules on samples")
    parser.add_argument("--stamp", type=Path, help="written when nothing was found")
    options = parser.parse_args()
    if options.self_test:
        self_test()
    found = list(breaches(options.root, options.layers))
    for line in found:
        print(line)
    if found:
        print(f"{len(found)} breaches of the rules in tests/check_layers.py")
        return 1
    if options.stamp:
        options.stamp.write_text("ok\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
