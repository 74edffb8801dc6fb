// The state of the model as an open page asks for it.
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

/// A backend whose state the test sets. Two models; the second one can think.
class StateBackend final : public services::ChatBackend {
  public:
    Result<std::unique_ptr<services::ChatStream>> start(const services::ChatRequest&,
                                                        services::ChatEventHandler) override {
        return fail(ErrorCode::kUnavailable, "not here");
    }
    Result<std::int64_t> count_tokens(const services::ChatRequest&) override { return 1; }
    services::ModelInfo info() const override {
        services::ModelInfo info;
        info.id = info.name = "first";
        info.remote_host = remote_host;
        return info;
    }
    services::Health health() const override { return state; }
    std::vector<services::ModelEntry> models() const override {
        services::ModelEntry other{.info = info(), .place = place, .load_progress = 0.43};
        other.info.id = other.info.name = "second";
        other.info.can_think = true;
        return {{.info = info(), .place = first_place}, other};
    }

    std::string remote_host = {};
    services::Health state = {.state = services::HealthState::kReady};
    services::ModelPlace first_place = services::ModelPlace::kReady;
    services::ModelPlace place = services::ModelPlace::kOnDisk;
};

class ModelBadge : public AppFixture {
  protected:
    void SetUp() override {
        auto backend = std::make_unique<StateBackend>();
        state_ = backend.get();
        start_with(std::move(backend));
    }
    std::string badge(std::string_view query) {
        const auto response = get(fmt::format("/model-badge?{}", query));
        EXPECT_EQ(response.status, 200);
        return response.body;
    }

    StateBackend* state_ = nullptr;
};

TEST_F(ModelBadge, SaysWhatChangesAndWhatDoesNot) {
    const std::string ready = badge("model=");
    EXPECT_TRUE(ready.contains("data-state=\"ready\""));
    EXPECT_FALSE(ready.contains("data-changing"));
    EXPECT_FALSE(ready.contains("model-banner")) << "a page without a composer";
    state_->state = {.state = services::HealthState::kLoading, .load_progress = 0.5};
    const std::string loading = badge("model=");
    EXPECT_TRUE(loading.contains("Loading <span class=\"wide\">model </span>50 %"));
    EXPECT_TRUE(loading.contains("data-changing"));
    state_->state = {.state = services::HealthState::kFailed, .detail = "the file is broken"};
    EXPECT_FALSE(badge("model=").contains("data-changing")) << "it stays broken";
    state_->remote_host = "example.com";
    EXPECT_TRUE(badge("model=").contains("data-changing")) << "a server may come back";
}

TEST_F(ModelBadge, OfTheModelThatThePageShows) {
    const std::string unloaded = badge("model=second");
    EXPECT_TRUE(unloaded.contains("data-state=\"unloaded\""));
    EXPECT_TRUE(unloaded.contains("data-model=\"second\""));
    EXPECT_TRUE(unloaded.contains("Not loaded"));
    EXPECT_FALSE(unloaded.contains("data-changing"));
    state_->place = services::ModelPlace::kLoading;
    EXPECT_TRUE(badge("model=second").contains("model </span>43 %"));
    EXPECT_TRUE(badge("model=").contains("data-state=\"ready\""));
    state_->first_place = services::ModelPlace::kOnDisk;
    EXPECT_TRUE(badge("model=").contains("data-state=\"unloaded\"")) << "the default one as well";
}

TEST_F(ModelBadge, BannerAndSwitchComeWhenTheyDiffer) {
    const std::string same = badge("model=&seen=ready+-+");
    EXPECT_FALSE(same.contains("model-banner")) << same;
    const std::string news = badge("model=second&seen=ready+-+&thinking=1");
    EXPECT_TRUE(news.contains("hx-target=\"#model-banner\""));
    EXPECT_TRUE(news.contains("second is not in memory."));
    EXPECT_TRUE(news.contains("id=\"thinking\" value=\"1\" checked"));
    EXPECT_FALSE(news.contains("/thinking\"")) << "no conversation yet";
    EXPECT_TRUE(badge("model=second&seen=&budget=512").contains("value=\"512\" selected"));
    EXPECT_TRUE(badge("model=second&seen=&budget=%22x").contains("value=\"\" selected"));
    const std::string id(32, 'a');
    EXPECT_TRUE(badge("model=second&seen=&conversation=" + id)
                    .contains("hx-post=\"/chat/" + id + "/thinking\""));
    EXPECT_FALSE(badge("model=second&seen=&conversation=%22onclick%3D").contains("onclick"));
}

TEST_F(ModelBadge, ThePageAndTheBadgeAgree) {
    state_->first_place = services::ModelPlace::kOnDisk;
    const std::string page = get("/").body;
    EXPECT_TRUE(page.contains("data-seen=\"unloaded - \"")) << page;
    EXPECT_TRUE(page.contains("first is not in memory."));
    EXPECT_FALSE(badge("model=&seen=unloaded+-+").contains("model-banner"));
}

}  // namespace
}  // namespace notso::web
