// See model_shelf.hpp: what callers see. Loading and unloading are in model_shelf_keeper.cpp.
#include "services/backend/model_shelf.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "services/backend/model_shelf_parts.hpp"
#include "services/backend/stop_matcher.hpp"

namespace notso::services {
namespace {

constexpr std::chrono::seconds kListedFor{10};

}  // namespace

class ModelShelf::Stream final : public ChatStream {
  public:
    Stream(std::shared_ptr<Link> link, std::shared_ptr<Ticket> ticket)
        : link_(std::move(link)), ticket_(std::move(ticket)) {}

    ~Stream() override {
        std::unique_ptr<ChatStream> inner;
        {
            const std::lock_guard lock(ticket_->mutex);
            ticket_->cancelled = true;
            inner = std::move(ticket_->inner);
        }
        if (inner == nullptr) tell_shelf();
    }

    void cancel() override {
        {
            const std::lock_guard lock(ticket_->mutex);
            ticket_->cancelled = true;
            if (ticket_->inner != nullptr) return ticket_->inner->cancel();
        }
        tell_shelf();
    }

    bool answer_now() override {
        const std::lock_guard lock(ticket_->mutex);
        ticket_->answer_now = true;
        return ticket_->inner == nullptr || ticket_->inner->answer_now();
    }

  private:
    void tell_shelf() {
        const std::lock_guard lock(link_->mutex);
        if (link_->shelf == nullptr) return;
        const std::lock_guard inside(link_->shelf->mutex_);
        link_->shelf->wake();
    }

    std::shared_ptr<Link> link_;
    std::shared_ptr<Ticket> ticket_;
};

ModelShelf::ModelShelf(ShelfOptions options)
    : options_(std::move(options)), link_(std::make_shared<Link>()) {
    link_->shelf = this;
    merge(options_.list());
    if (Slot* slot = default_slot()) {
        slot->backend = options_.load(slot->file);
        slot->last_used = SteadyClock::now();
    }
    keeper_ = std::thread([this] { keep(); });
}

ModelShelf::~ModelShelf() {
    {
        const std::lock_guard lock(link_->mutex);
        link_->shelf = nullptr;
    }
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        wake();
    }
    keeper_.join();
    for (auto& [id, slot] : slots_) slot->backend.reset();  // ends what runs
}

Result<std::unique_ptr<ChatStream>> ModelShelf::start(const ChatRequest& request,
                                                      ChatEventHandler handler) {
    Waiting asked{request,
                  std::make_shared<ChatEventHandler>(std::move(handler)),
                  std::make_shared<Ticket>(),
                  nullptr};
    auto stream = std::make_unique<Stream>(link_, asked.ticket);
    std::shared_ptr<const TokenCounter> counter;  // freed without the lock
    std::shared_ptr<Lease> held;
    ChatBackend* backend = nullptr;
    {
        const std::lock_guard lock(mutex_);
        NOTSO_TRY(asked.slot, slot_for(request.model));
        if (auto failure = fresh_failure(*asked.slot)) return std::unexpected(*std::move(failure));
        const bool can_wait = request.priority != ChatPriority::kBackground;
        if (!can_wait && (!waiting_.empty() || asked.slot->backend == nullptr))
            return fail(ErrorCode::kUnavailable, "background work loads no model");
        counter = std::exchange(asked.slot->counter, nullptr);
        if (!waiting_.empty() || asked.slot->backend == nullptr) {
            NOTSO_CHECK(validate_stops(request.stop));
            if (std::ssize(waiting_) >= options_.max_waiting)
                return fail(ErrorCode::kOverloaded,
                            "{} requests wait for a model to be loaded, try again later",
                            waiting_.size());
            waiting_.push_back(std::move(asked));
            wake();
            return stream;
        }
        backend = asked.slot->backend.get();
        held = lease(asked.slot);
        if (!can_wait) asked.slot->add_background(asked.ticket);
    }
    // `held` stays until here: an answer that ends at once must not let the backend go under
    // start().
    NOTSO_CHECK(hand_over(*backend, asked, held));
    return stream;
}

/// Gives a request to its model's backend; the lease that it gets ends after the answer.
Result<> ModelShelf::hand_over(ChatBackend& backend,
                               const Waiting& request,
                               std::shared_ptr<Lease> held) {
    auto pass_on = [handler = request.handler, held = std::move(held)](ChatEvent event) mutable {
        const bool last = std::holds_alternative<chat_event::End>(event);
        (*handler)(std::move(event));
        if (last) held.reset();
    };
    NOTSO_TRY(auto inner, backend.start(request.request, std::move(pass_on)));
    std::unique_ptr<ChatStream> unwanted;  // its end cancels it
    const std::lock_guard lock(request.ticket->mutex);
    (request.ticket->cancelled ? unwanted : request.ticket->inner) = std::move(inner);
    if (request.ticket->answer_now && request.ticket->inner) request.ticket->inner->answer_now();
    return {};
}

Result<std::int64_t> ModelShelf::count_tokens(const ChatRequest& request) {
    std::shared_ptr<const TokenCounter> counter;
    std::shared_ptr<Slot> slot;
    std::shared_ptr<Lease> held;
    ModelFile file;
    {
        const std::lock_guard lock(mutex_);
        NOTSO_TRY(slot, slot_for(request.model));
        file = slot->file;
        if (auto failure = fresh_failure(*slot)) return std::unexpected(*std::move(failure));
        if (slot->backend != nullptr && slot->backend->health().state != HealthState::kLoading) {
            held = lease(slot);
        } else {
            counter = slot->counter;
        }
    }
    if (held != nullptr) return slot->backend->count_tokens(request);
    if (counter == nullptr) {
        NOTSO_TRY(counter, options_.counter(file));
        const std::lock_guard lock(mutex_);
        slot->counter = counter;
    }
    return counter->count(request);
}

ModelInfo ModelShelf::info() const {
    const std::lock_guard lock(mutex_);
    if (const Slot* slot = default_slot()) return slot->info();
    ModelInfo none;
    none.id = "none";
    none.name = "no model";
    return none;
}

Health ModelShelf::health() const {
    const std::lock_guard lock(mutex_);
    Health health;
    Health all{.waiting = std::ssize(waiting_),
               .full = std::ssize(waiting_) >= options_.max_waiting};
    for (const auto& [id, slot] : slots_) {
        if (slot->backend == nullptr) continue;
        const Health one = slot->backend->health();
        all.running += one.running;
        all.waiting += one.waiting;
        all.full = all.full || (one.full && slots_.size() == 1);  // another model may have room
        all.kv_bytes += one.kv_bytes;
        all.kv_held_bytes += one.kv_held_bytes;
        all.kv_budget_bytes += one.kv_budget_bytes;
        all.preemptions += one.preemptions;
        if (id == default_id_) health = one;
    }
    const Slot* slot = default_slot();
    if (slot == nullptr) {
        health.state = HealthState::kFailed;
        health.detail = problem_;
    } else if (slot->backend == nullptr) {
        health.state = slot->failure ? HealthState::kFailed : HealthState::kReady;
        health.detail = slot->failure ? slot->failure->detail : "";
        health.load_progress = slot->failure ? 0 : 1;
    }
    all.state = health.state;
    all.load_progress = health.load_progress;
    all.memory = std::move(health.memory);
    all.detail = std::move(health.detail);
    return all;
}

std::vector<ModelEntry> ModelShelf::models() const {
    const std::lock_guard lock(mutex_);
    if (SteadyClock::now() - listed_at_ > kListedFor) {
        list_wanted_ = true;  // the next one who asks sees what is new
        wake();
    }
    std::vector<ModelEntry> entries;
    for (const auto& [id, slot] : slots_) {
        if (slot->gone && slot->backend == nullptr) continue;
        ModelEntry entry{.info = slot->info(),
                         .place = slot->failure ? ModelPlace::kFailed : ModelPlace::kOnDisk,
                         .file_bytes = slot->file.file_bytes,
                         .memory_bytes = slot->file.memory_bytes,
                         .detail = slot->failure ? slot->failure->detail : ""};
        if (slot->backend != nullptr) {
            const Health health = slot->backend->health();
            entry.place = health.state == HealthState::kReady    ? ModelPlace::kReady
                          : health.state == HealthState::kFailed ? ModelPlace::kFailed
                                                                 : ModelPlace::kLoading;
            entry.load_progress = health.load_progress;
            entry.detail = health.detail;
        }
        entries.insert(id == default_id_ ? entries.begin() : entries.end(), std::move(entry));
    }
    return entries;
}

Result<ModelInfo> ModelShelf::find_model(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    NOTSO_TRY(const auto slot, slot_for(name));
    return slot->info();
}

void ModelShelf::refresh() {
    const std::lock_guard lock(mutex_);
    list_wanted_ = true;
    wake();
}

Result<std::shared_ptr<ModelShelf::Slot>> ModelShelf::slot_for(const std::string& name) const {
    if (name.empty() && default_id_.empty()) return fail(ErrorCode::kUnavailable, "{}", problem_);
    const auto found = slots_.find(name.empty() ? default_id_ : name);
    if (found != slots_.end()) return found->second;
    if (slots_.size() == 1 && !default_id_.empty()) return slots_.begin()->second;
    list_wanted_ = true;  // perhaps somebody has just put it there
    wake();
    std::string known;
    for (const auto& [id, slot] : slots_) known += (known.empty() ? "" : ", ") + id;
    return fail(ErrorCode::kNotFound,
                "there is no model {}; these are installed: {}",
                log::field(name),
                known.empty() ? "none" : known);
}

ModelShelf::Slot* ModelShelf::default_slot() const {
    const auto found = slots_.find(default_id_);
    return found == slots_.end() ? nullptr : found->second.get();
}

std::shared_ptr<ModelShelf::Lease> ModelShelf::lease(std::shared_ptr<Slot> slot) {
    ++slot->users;
    return std::make_shared<Lease>(link_, std::move(slot));
}

void ModelShelf::release(Slot& slot) {
    const std::lock_guard lock(mutex_);
    --slot.users;
    slot.last_used = SteadyClock::now();
    wake();
}

std::optional<Error> ModelShelf::fresh_failure(const Slot& slot) const {
    if (slot.backend != nullptr || !slot.failure) return std::nullopt;
    const bool fresh = SteadyClock::now() - slot.failed_at < options_.retry_after;
    return fresh ? slot.failure : std::nullopt;
}

void ModelShelf::wake() const {
    news_ = true;
    woken_.notify_all();
}

}  // namespace notso::services
