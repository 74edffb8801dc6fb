// The page of models, fetching one from it, and the model of a chat.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "services/models/fake_hub.hpp"
#include "services/session/temp_directory.hpp"
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string tiny_model() {
    std::ifstream in(NOTSO_SOURCE_DIR "/tests/golden/models/tiny_llama.gguf", std::ios::binary);
    return (std::ostringstream() << in.rdbuf()).str();
}

class ModelRoutes : public AppFixture {
  protected:
    /// Asks until the page says it; the last page.
    std::string wait_for_page(std::string_view text) {
        std::string body;
        for (int i = 0; i < 1000; ++i) {
            body = get("/models").body;
            if (body.find(text) != std::string::npos) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return body;
    }
    std::string new_chat(std::string_view more = "") {
        const auto sent = post_form("/chat", fmt::format("message=[echo]+hi{}", more));
        EXPECT_EQ(sent.status, 303) << sent.body;
        const std::string place = sent.header("location");
        return place.substr(0, place.find('?'));
    }
};

class PullRoutes : public ModelRoutes {
  protected:
    void SetUp() override {
        ModelRoutes::SetUp();
        services::PullDeskOptions options;
        options.folder = folder_.path();
        options.hub = hub_.source().url.substr(0, hub_.source().url.find("/o/r/"));
        options.pull.retry_delay = std::chrono::milliseconds(0);
        options.pull.tries = 1;
        desk_ = std::make_unique<services::PullDesk>(options);
        context_->pulls = desk_.get();
    }

    services::TempDirectory folder_;
    services::FakeHub hub_{tiny_model()};
    std::unique_ptr<services::PullDesk> desk_;
};

TEST_F(ModelRoutes, ThePageListsWhatThereIs) {
    const RawResponse page = get("/models");
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, HasSubstr("On this machine"));
    EXPECT_THAT(page.body, HasSubstr(backend_->info().name));
    EXPECT_THAT(page.body, Not(HasSubstr("Fetch a model"))) << "this server fetches none";
    EXPECT_EQ(get("/models/pull").status, 404);
    EXPECT_EQ(post_form("/models/pull", "name=smollm3").status, 404);
    EXPECT_EQ(post_form("/models/pull/cancel", "").status, 404);
}

TEST_F(ModelRoutes, AChatKeepsItsModel) {
    const std::string chat = new_chat("&model=other%22%3E");
    EXPECT_THAT(get(chat).body, Not(HasSubstr("not installed any more")))
        << "a single model answers for all";
    EXPECT_EQ(post_form(chat + "/model", "model=").status, 303);
    EXPECT_THAT(get(chat).body, HasSubstr("Model of this chat"));
    EXPECT_THAT(get("/").body, HasSubstr("Model of the new chat"));
    EXPECT_EQ(post_form("/chat/" + std::string(32, '0') + "/model", "model=").status, 404);
}

TEST_F(PullRoutes, FetchesAModelWithoutScript) {
    EXPECT_THAT(get("/models").body, HasSubstr("Fetch a model"));
    EXPECT_THAT(get("/models").body, HasSubstr("free on disk"));
    const RawResponse started = post_form("/models/pull", "name=smollm3&path=o%2Fr%2Ftiny.gguf");
    EXPECT_EQ(started.status, 303) << "the path wins";
    EXPECT_EQ(started.header("location"), "/models");
    EXPECT_THAT(wait_for_page("is installed"), HasSubstr("tiny.gguf is installed"));
    EXPECT_TRUE(std::filesystem::exists(folder_.path() / "tiny.gguf"));
    EXPECT_EQ(get("/models/pull").header("hx-refresh"), "true") << "the page says how it ended";
}

TEST_F(PullRoutes, ProgressCancelAndGoOn) {
    std::promise<void> go_on;
    hub_.change(
        [&] { hub_.half_way = [waiting = go_on.get_future().share()] { waiting.wait(); }; });
    ASSERT_EQ(post_form("/models/pull", "path=o/r/tiny.gguf").status, 303);
    EXPECT_THAT(wait_for_page("<progress"), HasSubstr("hx-trigger=\"every 1s\""));
    EXPECT_THAT(get("/models/pull").body, HasSubstr("<progress"));
    EXPECT_EQ(get("/models/pull").header("hx-refresh"), "");
    EXPECT_EQ(post_form("/models/pull", "path=o/r/tiny.gguf").status, 409) << "one at a time";
    EXPECT_EQ(post_form("/models/pull/cancel", "").status, 303);
    EXPECT_THAT(wait_for_page("cancelled"), HasSubstr("tiny.gguf was cancelled"));
    go_on.set_value();
    hub_.change([&] { hub_.half_way = {}; });
    ASSERT_EQ(post_form("/models/pull", "path=o/r/tiny.gguf").status, 303);
    EXPECT_THAT(wait_for_page("is installed"), HasSubstr("tiny.gguf is installed"));
}

TEST_F(PullRoutes, WhatFailsIsSaid) {
    hub_.change([&] { hub_.data = "<script>alert(1)</script>" + std::string(5000, ' '); });
    ASSERT_EQ(post_form("/models/pull", "path=o/r/tiny.gguf").status, 303);
    const std::string page = wait_for_page("could not be fetched");
    EXPECT_THAT(page, HasSubstr("This is no GGUF file"));
    EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
    EXPECT_EQ(post_form("/models/pull", "name=nonsense").status, 404);
    EXPECT_EQ(post_form("/models/pull", "path=http://127.0.0.1/x.gguf").status, 400);
    EXPECT_EQ(post_form("/models/pull", "").status, 404);
}

}  // namespace
}  // namespace notso::web
