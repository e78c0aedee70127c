#include "restate/plan/execute.h"

#include "restate/kube/object.h"

namespace restate::plan {
namespace {

// The server has read the request and does not want it: saying it again changes nothing. A conflict over an object that
// we do not know is that too: it is somebody else's, unless it was to be new.
bool IsRefusal(const absl::Status& status, const Apply& step) {
  const ErrorClass error_class = RowOf(ReasonOf(status)).error_class;
  return error_class == ErrorClass::kOtherSideRefused || error_class == ErrorClass::kNotAllowed ||
         (kube::IsConflict(status) && !step.live && !step.must_be_new);
}

// A field that may not change any more would. Of an object of another uid the server says the same: that is a stale
// view.
bool IsImmutable(const absl::Status& status) {
  const auto error = kube::ApiErrorOf(status);
  return error && error->code == 422 && ReasonOf(status) == Reason::kApiRejected &&
         error->message.find("field is immutable") != std::string::npos;
}

bool GoesOnAfter(const Step& step, const absl::Status& failure) {
  const auto* apply = std::get_if<Apply>(&step);
  return apply && apply->others_go_on && IsRefusal(failure, *apply);
}

class Executor {
 public:
  Executor(const kube::Key& asker, const World& world) : asker_(asker), world_(world) {}

  Outcome Run(const Plan& plan) {
    for (const Step& step : plan.steps) {
      if (!outcome_.error.ok() && !std::holds_alternative<Apply>(step)) continue;  // it may need what was refused
      if (world_.stop.stop_requested()) {
        outcome_.error = MakeError(Reason::kStopped, "the pass was stopped before its end");
        break;
      }
      if (plan.expires && world_.clock.Now() > *plan.expires) {
        outcome_.error = MakeError(Reason::kApiConflict, "what the steps were decided on is too old by now");
        break;
      }
      const absl::Status status = std::visit([this](const auto& effect) { return Do(effect); }, step);
      if (status.ok()) ++outcome_.done;
      if (outcome_.error.ok()) outcome_.error = status;
      if (over_ || (!status.ok() && !GoesOnAfter(step, status))) break;
    }
    return std::move(outcome_);
  }

 private:
  absl::Status Do(const Create& step) {
    outcome_.changed = true;
    const auto answer = world_.client.Create(step.resource, step.body, step.manager, world_.stop);
    return Learn(step.resource, kube::KeyOf(step.body), answer);
  }

  absl::Status Do(const Apply& step) {
    const auto result = Send(step);
    if (!result.ok() && step.if_refused && IsRefusal(result.status(), step)) {
      kube::Event event = *step.if_refused;
      event.note.append(": ").append(MessageOf(result.status()));
      outcome_.refused.push_back(event);
      world_.events.Record(std::move(event));
      return absl::OkStatus();
    }
    if (step.replace_if_immutable && step.live && IsImmutable(result.status())) {
      return Do(Delete{step.resource, step.live->key(), step.live->uid()});
    }
    if (!result.ok()) return Learn(step.resource, kube::KeyOf(step.body), result.status());
    if (!result->sent) return absl::OkStatus();
    outcome_.changed = true;
    over_ = step.ends_plan;
    if (step.subresource == "scale") {
      RememberScale(step, result->live);
      return absl::OkStatus();
    }
    return Learn(step.resource, kube::KeyOf(step.body), result->live);
  }

  absl::StatusOr<kube::Applier::Result> Send(const Apply& step) {
    // Without a known live object of ours nothing is taken by force: a foreign one of that name answers with a
    // conflict.
    const kube::ApplyOptions options{.manager = step.manager,
                                     .subresource = step.subresource,
                                     .force = step.live != nullptr,
                                     .only_new = step.must_be_new && !step.live};
    return world_.applier.Apply(step.resource, step.body, step.live, options, world_.stop);
  }

  absl::Status Do(const Patch& step) {
    outcome_.changed = true;
    const auto answer = world_.client.Patch(step.resource, step.key, kube::PatchType::kJson, step.operations,
                                            step.manager, "", world_.stop);
    return Learn(step.resource, step.key, answer);
  }

  absl::Status Do(const Delete& step) {
    outcome_.changed = true;
    const absl::Status deleted =
        world_.client.Delete(step.resource, step.key,
                             {.uid = step.uid, .resource_version = {}, .propagation = step.propagation}, world_.stop);
    if (!deleted.ok() && !kube::IsNotFound(deleted)) return Learn(step.resource, step.key, deleted);
    world_.cache.MarkGone(step.resource, step.key, step.uid);
    world_.applier.Forget(step.resource, step.key);
    return absl::OkStatus();
  }

  absl::Status Do(const Register& step) {
    outcome_.changed = true;
    auto registration = world_.admin.Register(step.endpoint, step.request, world_.stop);
    if (!registration.ok()) return registration.status();
    // From here on only looks that began after the registration count for this object.
    world_.usage.Registered(asker_, registration->id);
    outcome_.registration = *std::move(registration);
    for (std::size_t i = 0; i < step.record_on.size(); ++i) {
      RETURN_IF_ERROR(Record(step, step.record_resources[i], step.record_on[i]));
    }
    return absl::OkStatus();
  }

  absl::Status Do(const Forget& step) {
    outcome_.changed = true;
    RETURN_IF_ERROR(world_.admin.Forget(step.endpoint, step.deployment_id, world_.stop));
    world_.usage.Changed(asker_);
    return absl::OkStatus();
  }

  absl::Status Do(const Provision& step) {
    outcome_.changed = true;
    absl::Status provisioned = world_.node_client.Provision(step.address, world_.stop);
    // After an error as well: it may have happened all the same.
    world_.nodes.Changed(asker_);
    if (ReasonOf(provisioned) == Reason::kStopped) return provisioned;
    if (!provisioned.ok()) return MakeError(Reason::kProvisioningFailed, MessageOf(provisioned));
    outcome_.provisioned = true;
    return absl::OkStatus();
  }

  absl::Status Do(const Announce& step) {
    world_.events.Record(step.event);
    return absl::OkStatus();
  }

  absl::Status Record(const Register& step, const kube::Resource& resource, const kube::ObjectPtr& on) {
    const std::string& id = outcome_.registration->id;
    if (on->Body().StringAt({"metadata", "annotations", step.annotation}) == id) return absl::OkStatus();
    json::Value annotations = step.annotations;
    annotations[step.annotation] = id;
    return Do(ApplyAnnotations(resource, on, std::move(annotations), step.manager));
  }

  // Puts the server's answer into the cache. Where our view turned out to be stale, the live object replaces it first,
  // so that the next pass decides on facts.
  absl::Status Learn(const kube::Resource& resource, const kube::Key& key, const absl::StatusOr<json::Value>& answer) {
    if (answer.ok()) {
      Remember(resource, *answer);
      return absl::OkStatus();
    }
    if (kube::IsConflict(answer.status()) || kube::IsAlreadyExists(answer.status()) ||
        kube::IsNotFound(answer.status())) {
      Refresh(resource, key);
      return Annotate(MakeError(Reason::kApiConflict, MessageOf(answer.status())), "our view was stale");
    }
    return answer.status();
  }

  void Refresh(const kube::Resource& resource, const kube::Key& key) {
    const auto live = world_.client.Get(resource, key, world_.stop);
    if (live.ok()) {
      RememberFound(resource, *live);
    } else if (kube::IsNotFound(live.status())) {
      // Hidden, not removed: its DELETED event is still to come, and with it the pass that this calls for.
      if (const auto known = world_.cache.Get(resource, key)) world_.cache.MarkGone(resource, key, known->uid());
    }
  }

  // The scale subresource answers with a Scale: of the object, only what that says is new.
  void RememberScale(const Apply& step, const json::Value& scale) {
    if (!step.live) return;
    json::Value live = step.live->Body();
    live["spec"]["replicas"] = scale.IntAt({"spec", "replicas"});
    live["metadata"]["resourceVersion"] = scale.StringAt({"metadata", "resourceVersion"});
    Remember(step.resource, live);
  }

  void RememberFound(const kube::Resource& resource, const json::Value& live) {
    if (auto object = kube::Object::From(live); object.ok()) world_.cache.PutFound(resource, *std::move(object));
  }

  void Remember(const kube::Resource& resource, const json::Value& live) {
    if (auto object = kube::Object::From(live); object.ok()) world_.cache.Put(resource, *std::move(object));
  }

  const kube::Key& asker_;
  const World& world_;
  Outcome outcome_;
  bool over_ = false;  // a step has ended the plan
};

}  // namespace

Outcome Execute(const Plan& plan, const kube::Key& asker, const World& world) {
  return Executor(asker, world).Run(plan);
}

}  // namespace restate::plan
