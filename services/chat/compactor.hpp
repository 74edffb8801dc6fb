// Compactor: summarises a conversation, step by step, until there is room again. One object, one
// conversation, once. Lives on the io thread; counting runs on `compute`. What it has stored stays
// when it is destroyed; then `done` does not run.
#pragma once

#include <functional>
#include <memory>

#include "services/chat/compaction.hpp"
#include "services/chat/side_request.hpp"
#include "services/chat/store_client.hpp"

namespace notso::services {

struct CompactorDeps {
    SideDeps side;
    StoreClient store;
    CompactReach reach = CompactReach::kAllButNewest;
};

class Compactor : public std::enable_shared_from_this<Compactor> {
  public:
    /// The steps that were taken; with an error, those before it are stored all the same.
    using Done = std::move_only_function<void(Result<std::int64_t> steps)>;

    Compactor(CompactorDeps deps, Done done) : deps_(std::move(deps)), done_(std::move(done)) {}

    /// @param source  The conversation as it is shown, with who asks and how urgently.
    void begin(PromptSource source);

  private:
    void find_step();
    void on_step(Result<std::optional<CompactStep>> step);
    void on_text(const SideText& written);
    void keep(Summary summary);
    void on_kept(Summary summary, const Result<>& kept);
    void end(Result<std::int64_t> ended);

    CompactorDeps deps_;
    Done done_;
    PromptSource source_;
    MessageId until_;
    std::int64_t n_steps_ = 0;
    std::shared_ptr<SideRequest> request_;
};

}  // namespace notso::services
