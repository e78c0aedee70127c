#include "fake/patch.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "fake/api_answer.h"

namespace restate::fake {

using json::Value;

namespace {

// The real server does not say which operation failed.
Refusal DoesNotFit() {
  return {422, "Invalid", "the server rejected our request due to an error in our request", json::Object()};
}

std::string Unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size()) {
      text += token[++i] == '1' ? '/' : '~';
    } else {
      text += token[i];
    }
  }
  return text;
}

std::size_t IndexOf(const std::string& token, std::size_t limit) {
  if (token.empty() || token.find_first_not_of("0123456789") != std::string::npos) throw DoesNotFit();
  const std::size_t index = std::strtoul(token.c_str(), nullptr, 10);
  if (index >= limit) throw DoesNotFit();
  return index;
}

struct Target {
  Value* parent;
  std::string token;
};

Target Locate(Value& object, std::string_view pointer) {
  if (pointer.empty() || pointer[0] != '/') throw DoesNotFit();
  Value* at = &object;
  for (;;) {
    pointer.remove_prefix(1);
    const auto slash = pointer.find('/');
    const std::string token = Unescaped(pointer.substr(0, slash));
    if (slash == std::string_view::npos) return {at, token};
    if (json::Array* items = at->array()) {
      at = &(*items)[IndexOf(token, items->size())];
    } else if (at->Find(token)) {
      at = &(*at)[token];
    } else {
      throw DoesNotFit();
    }
    pointer.remove_prefix(slash);
  }
}

void Test(const Target& target, const Value& wanted) {
  if (const json::Array* items = target.parent->array()) {
    if (!((*items)[IndexOf(target.token, items->size())] == wanted)) throw DoesNotFit();
    return;
  }
  const Value* found = target.parent->Find(target.token);
  if (!((found ? *found : Value()) == wanted)) throw DoesNotFit();
}

void Add(const Target& target, const Value& value, bool replace) {
  if (json::Array* items = target.parent->array()) {
    if (target.token == "-") {
      items->push_back(value);
    } else if (replace) {
      (*items)[IndexOf(target.token, items->size())] = value;
    } else {
      items->insert(items->begin() + static_cast<std::ptrdiff_t>(IndexOf(target.token, items->size() + 1)), value);
    }
  } else if (target.parent->is_object()) {
    (*target.parent)[target.token] = value;
  } else {
    throw DoesNotFit();
  }
}

void Remove(const Target& target) {
  if (json::Array* items = target.parent->array()) {
    items->erase(items->begin() + static_cast<std::ptrdiff_t>(IndexOf(target.token, items->size())));
  } else if (target.parent->Find(target.token)) {
    target.parent->Erase(target.token);
  } else {
    throw DoesNotFit();
  }
}

}  // namespace

Value JsonPatched(Value object, const Value& patch) {
  if (!patch.array()) throw BadRequest("error decoding patch: a JSON patch is a list of operations");
  for (const Value& operation : *patch.array()) {
    const auto op = operation.StringAt({"op"});
    const Target target = Locate(object, operation.StringAt({"path"}));
    const Value* found = operation.Find("value");
    const Value value = found ? *found : Value();
    if (op == "test") {
      Test(target, value);
    } else if (op == "add" || op == "replace") {
      Add(target, value, op == "replace");
    } else if (op == "remove") {
      Remove(target);
    } else {
      throw BadRequest("the fake API server knows the JSON patch operations test, add, replace and remove");
    }
  }
  return object;
}

Value MergePatched(Value object, const Value& patch) {
  if (!patch.is_object()) return patch;
  if (!object.is_object()) object = json::Object();
  for (const auto& [name, value] : *patch.object()) {
    if (value.is_null()) {
      object.Erase(name);
    } else {
      const Value* old = object.Find(name);
      object[name] = MergePatched(old ? *old : Value(), value);
    }
  }
  return object;
}

}  // namespace restate::fake
