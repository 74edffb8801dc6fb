// For tests: a ModelShelf over backends whose every event the test gives.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/backend/event_recorder.hpp"
#include "services/backend/model_shelf.hpp"

namespace notso::services {

/// All backends of a test share this; a backend answers as long as it is loaded.
struct World {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> loads;  // every load, in order
    std::multiset<std::string> loaded;
    std::vector<std::string> starts;                  // "model:text"
    std::map<std::string, ChatEventHandler> running;  // by text
    std::set<std::string> failing;                    // these can't be loaded
    std::set<std::string> loading;                    // these are still loading
    int lost = 0;                                     // answers whose backend went away under them
};

class WorldBackend final : public ChatBackend {
  public:
    WorldBackend(World& world, std::string id) : world_(world), id_(std::move(id)) {
        const std::lock_guard lock(world_.mutex);
        world_.loads.push_back(id_);
        world_.loaded.insert(id_);
        world_.changed.notify_all();
    }
    ~WorldBackend() override {
        std::vector<ChatEventHandler> ended;
        {
            const std::lock_guard lock(world_.mutex);
            for (const std::string& text : mine_) {
                const auto found = world_.running.find(text);
                if (found == world_.running.end()) continue;
                ++world_.lost;
                ended.push_back(std::move(found->second));
                world_.running.erase(found);
            }
            world_.loaded.erase(world_.loaded.find(id_));
            world_.changed.notify_all();
        }
        for (ChatEventHandler& handler : ended)
            handler(chat_event::End{.finish = ChatFinish::kCancelled});
    }

    Result<std::unique_ptr<ChatStream>> start(const ChatRequest& request,
                                              ChatEventHandler handler) override {
        const std::lock_guard lock(world_.mutex);
        if (world_.failing.contains(id_)) return fail(ErrorCode::kUnavailable, "{} is broken", id_);
        const std::string& text = request.messages.front().content;
        mine_.insert(text);
        world_.running[text] = std::move(handler);
        world_.starts.push_back(id_ + ":" + text);
        world_.changed.notify_all();
        return std::make_unique<Stream>(world_, text);
    }
    Result<std::int64_t> count_tokens(const ChatRequest&) override { return 7; }
    ModelInfo info() const override {
        ModelInfo info;
        info.id = id_;
        info.context_length = 111;
        return info;
    }
    Health health() const override {
        const std::lock_guard lock(world_.mutex);
        if (world_.failing.contains(id_))
            return {.state = HealthState::kFailed, .detail = id_ + " is broken"};
        if (world_.loading.contains(id_))
            return {.state = HealthState::kLoading, .load_progress = 0.5};
        return {.state = HealthState::kReady, .running = std::ssize(mine_)};
    }

  private:
    struct Stream final : ChatStream {
        Stream(World& world, std::string text) : world_(world), text_(std::move(text)) {}
        ~Stream() override { end(); }
        void cancel() override { end(); }
        void end() {
            ChatEventHandler handler;
            {
                const std::lock_guard lock(world_.mutex);
                const auto found = world_.running.find(text_);
                if (found == world_.running.end()) return;
                handler = std::move(found->second);
                world_.running.erase(found);
            }
            handler(chat_event::End{.finish = ChatFinish::kCancelled});
        }
        World& world_;
        std::string text_;
    };

    World& world_;
    std::string id_;
    std::set<std::string> mine_;
};

struct FixedCounter final : TokenCounter {
    Result<std::int64_t> count(const ChatRequest&) const override { return 42; }
};

struct ShelfTest : ::testing::Test {
    ShelfTest() {
        options.list = [this] {
            const std::lock_guard lock(world.mutex);
            return list;
        };
        options.load = [this](const ModelFile& model) {
            return std::make_unique<WorldBackend>(world, model.info.id);
        };
        options.counter = [](const ModelFile&) -> Result<std::unique_ptr<const TokenCounter>> {
            return std::make_unique<const FixedCounter>();
        };
        options.available_bytes = [this] { return available.load(); };
        options.budget_bytes = 100;
        options.patrol = std::chrono::milliseconds(1);
        for (const char* id : {"a", "b", "c"}) list.models.push_back(model(id, 40));
        list.default_id = "a";
    }

    static ModelFile model(const std::string& id, std::uint64_t bytes) {
        ModelFile file{.path = id + ".gguf", .file_bytes = bytes, .memory_bytes = bytes};
        file.info.id = id;
        file.info.context_length = 55;
        return file;
    }
    static ChatRequest request(const std::string& model, const std::string& text) {
        ChatRequest asked;
        asked.model = model;
        asked.messages.push_back({.role = "user", .content = text});
        return asked;
    }

    void open() { shelf = std::make_unique<ModelShelf>(options); }

    struct Answer {
        std::shared_ptr<EventRecorder> events = EventRecorder::create();
        std::unique_ptr<ChatStream> stream;
    };
    Answer ask(const std::string& model, const std::string& text) {
        Answer answer;
        auto started = shelf->start(request(model, text), answer.events->handler());
        EXPECT_TRUE(started) << started.error().detail;
        if (started) answer.stream = *std::move(started);
        return answer;
    }

    bool wait(const std::function<bool()>& done) {
        std::unique_lock lock(world.mutex);
        return world.changed.wait_for(lock, std::chrono::seconds(10), done);
    }
    bool wait_started(const std::string& text) {
        return wait([&] { return world.running.contains(text); });
    }
    void finish(const std::string& text) {
        ChatEventHandler handler;
        {
            const std::lock_guard lock(world.mutex);
            handler = std::move(world.running.at(text));
            world.running.erase(text);
        }
        handler(chat_event::Text{text});
        handler(chat_event::End{});
    }
    std::multiset<std::string> loaded() {
        const std::lock_guard lock(world.mutex);
        return world.loaded;
    }

    World world;
    ShelfList list;
    std::atomic<std::uint64_t> available = 1000;
    ShelfOptions options;
    std::unique_ptr<ModelShelf> shelf;
};

}  // namespace notso::services
