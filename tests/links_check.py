#!/usr/bin/python3
"""Every relative link in a Markdown file of the repository leads to a file that is there, and to a heading that is there.

Without arguments: all Markdown files that git knows. A link is [text](place); code does not count.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.M | re.S)
INDENTED = re.compile(r"(?:^|(?<=\n))(?: {4}|\t).*(?:\n|$)")
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.M)


def anchors(text):
    """The names under which a page's headings can be linked to, as GitHub makes them."""
    found, seen = set(), {}
    for title in HEADING.findall(FENCE.sub("", text)):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        count = seen[name] = seen.get(name, -1) + 1
        found.add(f"{name}-{count}" if count else name)
    return found


def links(text):
    """(line, place) of each link outside of code; the lines keep their numbers."""
    def blank(match):
        return "\n" * match[0].count("\n")
    text = CODE.sub("", INDENTED.sub(blank, FENCE.sub(blank, text)))
    for number, line in enumerate(text.splitlines(), 1):
        for match in LINK.finditer(line):
            yield number, match[1] or match[2]


def mistakes(path, known):
    """What is wrong with the links of a page; `known` says whether git has a path."""
    for number, place in links(path.read_text()):
        if re.match(r"[a-z][a-z0-9+.-]*:", place):  # leads outside
            continue
        file, _, anchor = place.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not known(target):
            yield f"{path}:{number}: {place}: there is no such file; correct the link"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            yield f"{path}:{number}: {place}: {target.name} has no such heading; correct the link"


def self_test(directory):
    page = directory / "page.md"
    page.write_text("# One `two` three\n## Same\n## Same\n[a](#one-two-three) [b](other.md) [c](#same-1) [d](https://x/y)\n"
                    "`[e](gone.md)`\n\n    [f](gone.md)\n\n```\n[g](gone.md)\n# Not a heading\n```\n")
    (directory / "other.md").write_text("text\n")
    assert list(mistakes(page, Path.exists)) == [], list(mistakes(page, Path.exists))
    page.write_text("# One\n[a](gone.md)\n[b](#two)\n[c](other.md#one)\n![d](gone.png)\n")
    found = [line.split(": ")[0].rpartition(":")[2] for line in mistakes(page, Path.exists)]
    assert found == ["2", "3", "4", "5"], found


def main():
    import tempfile
    with tempfile.TemporaryDirectory() as scratch:
        self_test(Path(scratch))
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True, capture_output=True,
                            check=True).stdout.splitlines()
    files = {(ROOT / name).resolve() for name in listed if (ROOT / name).exists()}
    folders = {folder for file in files for folder in file.parents}
    pages = sorted(file for file in files if file.suffix == ".md")
    found = [mistake for page in pages for mistake in mistakes(page, lambda target: target in files | folders)]
    print("\n".join(found) or f"{len(pages)} pages: every link leads somewhere")
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
