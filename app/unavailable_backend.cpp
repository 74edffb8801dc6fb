#include "app/unavailable_backend.hpp"

#include <utility>

namespace notso::app {
namespace {

class UnavailableBackend final : public services::ChatBackend {
  public:
    explicit UnavailableBackend(Error why) : why_(std::move(why)) {}

    Result<std::unique_ptr<services::ChatStream>> start(const services::ChatRequest&,
                                                        services::ChatEventHandler) override {
        return fail(ErrorCode::kUnavailable, "{}", why_.detail);
    }
    Result<std::int64_t> count_tokens(const services::ChatRequest&) override {
        return fail(ErrorCode::kUnavailable, "{}", why_.detail);
    }
    services::ModelInfo info() const override {
        services::ModelInfo model;
        model.id = "none";
        model.name = "no model";
        return model;
    }
    services::Health health() const override {
        services::Health health;
        health.state = services::HealthState::kFailed;
        health.detail = why_.detail;
        return health;
    }

  private:
    Error why_;
};

}  // namespace

std::unique_ptr<services::ChatBackend> make_unavailable_backend(Error why) {
    return std::make_unique<UnavailableBackend>(std::move(why));
}

}  // namespace notso::app
