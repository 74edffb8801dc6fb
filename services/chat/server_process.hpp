// Everything that one process of the server has, with a database on disk and the scripted backend:
// for tests that end one and begin another.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/serial_worker.hpp"
#include "services/backend/stub.hpp"
#include "services/chat/chat_service.hpp"
#include "services/session/data_directory.hpp"

namespace notso::services {

struct ServerProcess {
    ServerProcess(const std::filesystem::path& path, std::chrono::milliseconds word_delay)
        : directory(*DataDirectory::open(path)),
          store(*directory.open_store()),
          backend(make_stub_backend({.word_delay = word_delay})) {}

    template <class T, class Start>
    Result<T> await(Start start) {
        std::optional<Result<T>> result;
        start(Completion<T>([&result](Result<T> value) { result.emplace(std::move(value)); }));
        loop.run_until([&result] { return result.has_value(); });
        return *std::move(result);
    }

    RunLoop loop;
    DataDirectory directory;
    std::unique_ptr<SqliteStore> store;
    std::unique_ptr<ChatBackend> backend;
    SerialWorker database{"test-db"};
    SerialWorker compute{"test-compute"};
    std::unique_ptr<ChatService> chat = ChatService::create({.backend = *backend,
                                                             .store = *store,
                                                             .io = loop,
                                                             .database = database,
                                                             .compute = compute});
};

}  // namespace notso::services
