#include "restate/runtime/cache.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/objects.h"

using restate::kube::Key;
using restate::kube::kReplicaSets;
using restate::kube::kServices;
using restate::runtime::Body;
using restate::runtime::Cache;
using restate::runtime::Change;
using restate::runtime::IsOlder;
using restate::runtime::Make;

namespace {

const Key kA{"ns", "a"}, kB{"ns", "b"};

// Changes as text, sorted: "+a/u1@5" added, "~a/u1@5>7" updated or looked at again, "-a/u1@7" deleted.
std::string Text(const std::vector<Change>& changes) {
  std::vector<std::string> lines;
  for (const auto& [before, after] : changes) {
    const auto& any = after ? after : before;
    std::string line = !before ? "+" : !after ? "-" : "~";
    line += any->key().name + "/" + any->uid() + "@";
    if (before) line += before->resource_version();
    if (before && after) line += ">";
    if (after) line += after->resource_version();
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : " ") + line;
  return text;
}

// What readers see, in the same notation.
std::string Seen(const Cache& cache) {
  std::string text;
  for (const auto& object : cache.List(kReplicaSets)) {
    text += (text.empty() ? "" : " ") + object->key().name + "/" + object->uid() + "@" + object->resource_version();
  }
  return text;
}

}  // namespace

TEST_CASE("W1 versions have an order only where both are plain decimal integers") {
  CHECK(IsOlder("9", "10"));
  CHECK(IsOlder("0", "1"));
  CHECK(IsOlder("18446744073709551616", "18446744073709551617"));  // beyond 64 bits
  CHECK_FALSE(IsOlder("10", "9"));
  CHECK_FALSE(IsOlder("10", "10"));
  for (const char* odd : {"", "a9", "-1", "+1", "1.5", " 1", "01", "0x1"}) {
    CAPTURE(odd);
    CHECK_FALSE(IsOlder(odd, "99"));
    CHECK_FALSE(IsOlder("1", odd));
  }
}

TEST_CASE("W1 objects with opaque versions are taken in the order in which they come") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "b9"})}, "b9");
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u1", "a1"}))) == "~a/u1@b9>a1");
  CHECK(Text(cache.Replace(kReplicaSets, {Make({"a", "u1", "c0"})}, "c0")) == "~a/u1@a1>c0");
  CHECK(Text(cache.Remove(kReplicaSets, kA, "u1", "a0")) == "-a/u1@c0");
}

TEST_CASE("W5 a list replaces everything at once; what is absent was deleted, once, with its last state") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"}), Make({"b", "u2", "2"})}, "5");
  cache.Put(kReplicaSets, Make({"b", "u2", "6"}));
  CHECK(Text(cache.Replace(kReplicaSets, {Make({"a", "u1", "7"}), Make({"c", "u3", "8"})}, "9")) ==
        "+c/u3@8 -b/u2@6 ~a/u1@1>7");
  CHECK(Seen(cache) == "a/u1@7 c/u3@8");
  CHECK(Text(cache.Replace(kReplicaSets, {Make({"a", "u1", "7"}), Make({"c", "u3", "8"})}, "9")) ==
        "~a/u1@7>7 ~c/u3@8>8");
}

TEST_CASE("W5 a name that a list shows with another uid was deleted and made again") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "5");
  CHECK(Text(cache.Replace(kReplicaSets, {Make({"a", "u2", "6"})}, "9")) == "+a/u2@6 -a/u1@1");
  CHECK(Seen(cache) == "a/u2@6");
}

TEST_CASE("W17 an older state of the same object is ignored") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "10"})}, "10");
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u1", "9"}))) == "");
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u1", "11"}))) == "~a/u1@10>11");
  CHECK(Seen(cache) == "a/u1@11");
}

TEST_CASE("W17 another uid under the name is a deletion and an addition") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "10"})}, "10");
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u2", "12"}))) == "+a/u2@12 -a/u1@10");
  CHECK(Seen(cache) == "a/u2@12");
}

TEST_CASE("W17 a server that replays the past never takes the cache back") {
  Cache cache;
  cache.Replace(kReplicaSets, {}, "1");
  cache.Put(kReplicaSets, Make({"a", "u1", "2"}));
  cache.Put(kReplicaSets, Make({"a", "u1", "3"}));
  cache.Remove(kReplicaSets, kA, "u1", "4");
  cache.Put(kReplicaSets, Make({"a", "u2", "5"}));
  for (const auto& old : {Make({"a", "u1", "2"}), Make({"a", "u1", "3"})}) {
    CHECK(Text(cache.Put(kReplicaSets, old)) == "");
  }
  CHECK(Text(cache.Remove(kReplicaSets, kA, "u1", "4")) == "");
  CHECK(Seen(cache) == "a/u2@5");
  cache.Remove(kReplicaSets, kA, "u2", "6");
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u2", "5"}))) == "");
  CHECK(Seen(cache) == "");
}

TEST_CASE("W18 a deletion removes only its own incarnation, in both orders of a recreate race") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "1");
  SUBCASE("the event first") {
    CHECK(Text(cache.Remove(kReplicaSets, kA, "u1", "2")) == "-a/u1@1");
    CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u2", "3"}))) == "+a/u2@3");
  }
  SUBCASE("the answer to our create first") {
    CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u2", "3"}))) == "+a/u2@3 -a/u1@1");
    CHECK(Text(cache.Remove(kReplicaSets, kA, "u1", "2")) == "");
  }
  CHECK(Seen(cache) == "a/u2@3");
}

TEST_CASE("W18 an object that left the selector and came back is seen again") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "1");
  CHECK(Text(cache.Remove(kReplicaSets, kA, "u1", "5")) == "-a/u1@1");
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u1", "8"}))) == "+a/u1@8");
}

TEST_CASE(
    "W18 an object that left the selector is known again by a read, one that was deleted is not by a late answer") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "1");
  cache.Remove(kReplicaSets, kA, "u1", "5");
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u1", "5"}))) == "");  // the answer to the write that deleted it
  CHECK(Text(cache.PutFound(kReplicaSets, Make({"a", "u1", "4"}))) == "");
  CHECK(Text(cache.PutFound(kReplicaSets, Make({"a", "u1", "5"}))) == "+a/u1@5");
}

TEST_CASE("W19 a resource is synced from its first complete list on, also an empty one") {
  Cache cache;
  CHECK_FALSE(cache.Synced(kReplicaSets));
  cache.Put(kReplicaSets, Make({"a", "u1", "1"}));
  CHECK_FALSE(cache.Synced(kReplicaSets));
  cache.Replace(kReplicaSets, {}, "5");
  CHECK(cache.Synced(kReplicaSets));
  CHECK_FALSE(cache.Synced(kServices));
}

TEST_CASE("W19 W22 a resource that was withdrawn is synced again with its next list; what was known stays until then") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "5");
  cache.Withdraw(kReplicaSets);
  CHECK_FALSE(cache.Synced(kReplicaSets));
  CHECK(cache.Get(kReplicaSets, kA));
  cache.Put(kReplicaSets, Make({"b", "u2", "6"}));
  CHECK_FALSE(cache.Synced(kReplicaSets));
  CHECK(Text(cache.Replace(kReplicaSets, {}, "9")) == "-a/u1@1 -b/u2@6");
  CHECK(cache.Synced(kReplicaSets));
}

TEST_CASE("W20 the answer to our write is read back, and the events it overtook are ignored") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "1");
  cache.Put(kReplicaSets, Make({"a", "u1", "7"}));  // the answer
  CHECK(cache.Get(kReplicaSets, kA)->resource_version() == "7");
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u1", "5"}))) == "");
  CHECK(cache.Get(kReplicaSets, kA)->resource_version() == "7");
  // Its own event is reported: the answer may have shown what others did, and nobody was told.
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u1", "7"}))) == "~a/u1@7>7");
}

TEST_CASE("W20 a list that was taken before our write does not undo it") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"}), Make({"c", "u3", "2"})}, "2");
  cache.Put(kReplicaSets, Make({"a", "u1", "11"}));
  cache.Put(kReplicaSets, Make({"b", "u2", "12"}));
  cache.Put(kReplicaSets, Make({"c", "u4", "13"}));  // made again by us
  CHECK(Text(cache.Replace(kReplicaSets, {Make({"a", "u1", "1"}), Make({"c", "u3", "2"})}, "10")) == "~a/u1@11>11");
  CHECK(Seen(cache) == "a/u1@11 b/u2@12 c/u4@13");
  CHECK(Text(cache.Replace(kReplicaSets, {Make({"a", "u1", "11"})}, "20")) == "-b/u2@12 -c/u4@13 ~a/u1@11>11");
}

TEST_CASE("W20 what we deleted is gone at once and is reported when the watch confirms it") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1", "owner"})}, "1");
  cache.MarkGone(kReplicaSets, kA, "u1");
  CHECK(cache.Get(kReplicaSets, kA) == nullptr);
  CHECK(cache.OwnedBy(kReplicaSets, "owner").empty());
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u1", "2", "owner"}))) == "");  // an event that the delete overtook
  CHECK(cache.Get(kReplicaSets, kA) == nullptr);
  CHECK(Text(cache.Remove(kReplicaSets, kA, "u1", "3")) == "-a/u1@2");
  CHECK(Text(cache.Remove(kReplicaSets, kA, "u1", "3")) == "");
}

TEST_CASE("W20 what we deleted stays gone through an older list and is reported by a newer one") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "1");
  cache.MarkGone(kReplicaSets, kA, "u1");
  CHECK(Text(cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "2")) == "");
  CHECK(cache.Size(kReplicaSets) == 0);
  CHECK(Text(cache.Replace(kReplicaSets, {}, "9")) == "-a/u1@1");
  CHECK(Text(cache.Replace(kReplicaSets, {}, "10")) == "");
}

TEST_CASE("W20 a delete that finalizers hold up is seen again, with its deletionTimestamp") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "1");
  cache.MarkGone(kReplicaSets, kA, "u1");
  const auto deleting = Make({.name = "a", .uid = "u1", .version = "2", .deleting = true});
  CHECK(Text(cache.Put(kReplicaSets, deleting)) == "+a/u1@2");
  CHECK(Text(cache.Remove(kReplicaSets, kA, "u1", "3")) == "-a/u1@2");
}

TEST_CASE("W20 the new incarnation lives on when our delete of the old one is acknowledged late") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "1");
  cache.Put(kReplicaSets, Make({"a", "u2", "3"}));
  cache.MarkGone(kReplicaSets, kA, "u1");
  CHECK(Seen(cache) == "a/u2@3");
}

TEST_CASE("W20 an answer that comes after the deletion was seen does not raise the dead") {
  Cache cache;
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1"})}, "1");
  SUBCASE("by an event") { cache.Remove(kReplicaSets, kA, "u1", "5"); }
  SUBCASE("by a list") { cache.Replace(kReplicaSets, {}, "5"); }
  CHECK(Text(cache.Put(kReplicaSets, Make({"a", "u1", "4"}))) == "");
  CHECK(cache.Size(kReplicaSets) == 0);
}

TEST_CASE("W24 managedFields of others are not kept") {
  auto body = Body({"a", "u1", "1"});
  using restate::json::Arr, restate::json::Obj;
  body["metadata"]["managedFields"] =
      Arr({Obj({{"manager", "kubectl"}, {"operation", "Update"}, {"fieldsV1", Obj({{"f:spec", Obj({})}})}})});
  Cache cache;
  auto object = restate::kube::Object::From(body);
  REQUIRE(object.ok());
  cache.Put(kReplicaSets, *object);
  const auto cached = cache.Get(kReplicaSets, kA)->Body();
  const auto* managed = cached.FindPath({"metadata", "managedFields"});
  CHECK((managed == nullptr || managed->array()->empty()));
  CHECK(cached.StringAt({"metadata", "uid"}) == "u1");
}

TEST_CASE("owned objects are found by their owner's uid as owners come, change and go") {
  Cache cache;
  const auto owned = [&](const char* owner) {
    std::string names;
    for (const auto& object : cache.OwnedBy(kReplicaSets, owner)) names += object->key().name;
    return names;
  };
  cache.Replace(kReplicaSets, {Make({"a", "u1", "1", "o1"}), Make({"b", "u2", "1", "o1"}), Make({"c", "u3", "1"})},
                "1");
  CHECK(owned("o1") == "ab");
  CHECK(owned("") == "");
  cache.Put(kReplicaSets, Make({"b", "u2", "2", "o2"}));
  cache.Put(kReplicaSets, Make({"c", "u3", "2", "o1"}));
  CHECK(owned("o1") == "ac");
  CHECK(owned("o2") == "b");
  cache.Put(kReplicaSets, Make({"a", "u9", "3", "o2"}));  // another incarnation
  CHECK(owned("o1") == "c");
  CHECK(owned("o2") == "ab");
  cache.Remove(kReplicaSets, kB, "u2", "4");
  CHECK(owned("o2") == "a");
  cache.Replace(kReplicaSets, {Make({"c", "u3", "5", "o2"})}, "5");
  CHECK(owned("o1") == "");
  CHECK(owned("o2") == "c");
}

TEST_CASE("the objects of one namespace are told from those of others, whatever the names are like") {
  Cache cache;
  const auto put = [&](const std::string& ns, const std::string& name) {
    auto body = Body({name, ns + "." + name, "1"});
    body["metadata"]["namespace"] = ns;
    cache.Put(kReplicaSets, *restate::kube::Object::From(body));
  };
  for (const char* ns : {"a", "a-b", "b", "c"}) {
    put(ns, "x");
    put(ns, "0");
  }
  std::string names;
  for (const auto& object : cache.ListIn(kReplicaSets, "a-b")) names += object->key().ToString() + " ";
  CHECK(names == "a-b/0 a-b/x ");
  CHECK(cache.ListIn(kReplicaSets, "c").size() == 2);
  CHECK(cache.ListIn(kReplicaSets, "").empty());
  CHECK(cache.ListIn(kReplicaSets, "aa").empty());
  CHECK(cache.ListIn(kServices, "a").empty());
}

TEST_CASE("resources are apart, and what was never seen is absent") {
  Cache cache;
  cache.Put(kReplicaSets, Make({"a", "u1", "1"}));
  CHECK(cache.Get(kServices, kA) == nullptr);
  CHECK(cache.Get(kReplicaSets, kB) == nullptr);
  CHECK(cache.List(kServices).empty());
  CHECK(cache.Size(kServices) == 0);
  CHECK(cache.OwnedBy(kServices, "o").empty());
}
