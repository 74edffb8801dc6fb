// ChatServiceImpl: what people can see and change of the tools that models may call.
#include <algorithm>
#include <utility>

#include "services/chat/chat_service_impl.hpp"

namespace notso::services {
namespace {

std::vector<ToolOffer> offers_of(const ToolBox* box, std::vector<std::string> allowed) {
    std::vector<ToolOffer> offers;
    if (box != nullptr) {
        for (const ToolPtr& tool : box->list()) {
            const bool asks = tool->info().policy == ToolPolicy::kAsksFirst;
            const bool always = std::erase(allowed, tool->info().name) > 0;
            offers.push_back({.info = tool->info(), .always = asks && always});
        }
    }
    for (std::string& name : allowed) {
        ToolOffer gone{.info = {}, .there = false, .always = true};
        gone.info.name = std::move(name);
        offers.push_back(std::move(gone));
    }
    return offers;
}

}  // namespace

void ChatServiceImpl::list_tools(OwnerId owner, Completion<std::vector<ToolOffer>> done) {
    store_.call(
        alive_,
        [owner](SessionStore& store) { return store.allowed_tools(owner); },
        [this, done = std::move(done)](Result<std::vector<std::string>> allowed) mutable {
            if (!allowed) return done(std::unexpected(std::move(allowed).error()));
            done(offers_of(deps_.tools.box, *std::move(allowed)));
        });
}

void ChatServiceImpl::ask_again(OwnerId owner, std::string tool, Completion<> done) {
    store_.call(
        alive_,
        [owner, tool = std::move(tool)](SessionStore& store) {
            return store.disallow_tool(owner, tool);
        },
        std::move(done));
}

}  // namespace notso::services
