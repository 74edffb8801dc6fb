// The keeper's thread of ModelShelf: loads what is asked for, unloads what nobody uses when room is
// needed, when it was idle for long, or when the machine's memory runs out.
#include <malloc.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "services/backend/model_shelf_parts.hpp"

namespace notso::services {

void ModelShelf::keep() {
    pthread_setname_np(pthread_self(), "shelf");
    Lock lock(mutex_);
    while (!stopping_) {
        news_ = false;
        if (std::exchange(list_wanted_, false)) {
            lock.unlock();
            ShelfList list = options_.list();
            lock.lock();
            merge(std::move(list));
        }
        drop_failed(lock);
        end_cancelled(lock);
        serve_waiting(lock);
        unload_unused(lock);
        announce(lock);
        if (!news_) woken_.wait_until(lock, next_look(), [this] { return news_ || stopping_; });
    }
    end_waiting(lock);
}

/// What the folder holds now. Loaded models stay as they are; the default never changes while there
/// is one.
void ModelShelf::merge(ShelfList list) {
    listed_at_ = SteadyClock::now();
    for (const auto& [id, slot] : slots_) slot->gone = true;
    for (ModelFile& file : list.models) {
        std::shared_ptr<Slot>& slot = slots_[file.info.id];
        const bool is_new = slot == nullptr;
        if (is_new) slot = std::make_shared<Slot>();
        slot->gone = false;
        const bool changed = is_new || slot->file.file_bytes != file.file_bytes;
        if (slot->backend != nullptr || !changed) continue;
        slot->file = std::move(file);
        slot->failure.reset();
        slot->counter.reset();
    }
    std::erase_if(slots_, [this](const auto& item) {
        const Slot& slot = *item.second;
        return slot.gone && slot.backend == nullptr && item.first != default_id_;
    });
    if (!default_id_.empty()) return;
    default_id_ = std::move(list.default_id);
    problem_ = std::move(list.problem);
}

/// A backend whose model could not be loaded takes no room and is tried again later.
void ModelShelf::drop_failed(Lock& lock) {
    const auto slots = slots_;  // the map may change while nothing is locked
    for (const auto& [id, slot] : slots) {
        if (slot->backend == nullptr || slot->users > 0) continue;
        const Health health = slot->backend->health();
        if (health.state != HealthState::kFailed) continue;
        slot->failure = Error{ErrorCode::kUnavailable, health.detail};
        slot->failed_at = SteadyClock::now();
        unload(*slot, "it failed to load", lock);
    }
}

void ModelShelf::end_cancelled(Lock& lock) {
    std::vector<Handler> ended;
    std::erase_if(waiting_, [&](const Waiting& waiting) {
        const std::lock_guard inside(waiting.ticket->mutex);
        if (waiting.ticket->cancelled) ended.push_back(waiting.handler);
        return waiting.ticket->cancelled;
    });
    if (ended.empty()) return;
    lock.unlock();
    for (const Handler& handler : ended)
        (*handler)(chat_event::End{.finish = ChatFinish::kCancelled});
    lock.lock();
}

/// In the order of arrival; the first that has to wait stops those behind it.
void ModelShelf::serve_waiting(Lock& lock) {
    while (!waiting_.empty() && !stopping_) {
        const std::shared_ptr<Slot> slot = waiting_.front().slot;
        if (slot->backend == nullptr && !bring_in(*slot, lock)) return;
        const Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        ChatBackend& backend = *slot->backend;
        std::shared_ptr<Lease> held = lease(slot);
        lock.unlock();
        if (const Result<> given = hand_over(backend, next, std::move(held)); !given)
            (*next.handler)(chat_event::End{.finish = ChatFinish::kError, .error = given.error()});
        lock.lock();
    }
}

/// Loads a model, after unloading as many unused ones as it takes. False: those that run must end
/// first.
bool ModelShelf::bring_in(Slot& slot, Lock& lock) {
    while (!fits(slot)) {
        Slot* unused = least_used_idle();
        if (unused == nullptr) {
            cancel_background(lock);
            return false;
        }
        unload(*unused, "another model needs its room", lock);
    }
    log::info("event=load model={}", log::field(slot.file.info.id));
    lock.unlock();
    auto backend = options_.load(slot.file);
    lock.lock();
    slot.backend = std::move(backend);
    slot.failure.reset();
    slot.last_used = SteadyClock::now();
    return true;
}

/// What nobody waits for holds no room that somebody waits for.
void ModelShelf::cancel_background(Lock& lock) {
    std::vector<std::shared_ptr<Ticket>> tickets;
    for (const auto& [id, slot] : slots_)
        for (const auto& one : std::exchange(slot->background, {}))
            if (auto ticket = one.lock()) tickets.push_back(std::move(ticket));
    lock.unlock();
    for (const auto& ticket : tickets) ticket->cancel();
    lock.lock();
}

/// A model alone always fits as far as the shelf is concerned: whether it can be loaded, loading
/// says.
bool ModelShelf::fits(const Slot& slot) const {
    std::size_t loaded = 0;
    std::uint64_t bytes = slot.file.memory_bytes;
    for (const auto& [id, other] : slots_) {
        if (other->backend == nullptr) continue;
        ++loaded;
        bytes += other->file.memory_bytes;
    }
    if (loaded == 0) return true;
    return loaded < options_.max_loaded && bytes <= options_.budget_bytes &&
           slot.file.memory_bytes <= options_.available_bytes();
}

ModelShelf::Slot* ModelShelf::least_used_idle() const {
    Slot* least = nullptr;
    for (const auto& [id, slot] : slots_) {
        if (slot->backend == nullptr || slot->users > 0) continue;
        if (least == nullptr || slot->last_used < least->last_used) least = slot.get();
    }
    return least;
}

void ModelShelf::unload(Slot& slot, const char* why, Lock& lock) {
    log::info("event=unload model={} why={}", log::field(slot.file.info.id), log::field(why));
    // What only loading could tell stays known.
    if (slot.backend->health().state == HealthState::kReady) slot.file.info = slot.backend->info();
    std::unique_ptr<ChatBackend> backend = std::move(slot.backend);
    lock.unlock();
    backend.reset();
    ::malloc_trim(0);  // the tokenizer's many small pieces go back to the system too
    lock.lock();
}

void ModelShelf::unload_unused(Lock& lock) {
    const auto now = SteadyClock::now();
    const auto slots = slots_;
    for (const auto& [id, slot] : slots) {
        if (slot->backend == nullptr || slot->users > 0) continue;
        if (slot->backend->health().state == HealthState::kLoading) {
            slot->last_used = now;
        } else if (options_.idle_unload.count() > 0 &&
                   now - slot->last_used >= options_.idle_unload) {
            unload(*slot, "nobody used it", lock);
        }
    }
    Slot* unused = least_used_idle();
    if (unused == nullptr || now - unused->last_used < options_.patrol) return;
    if (options_.available_bytes() < options_.low_bytes)
        unload(*unused, "the machine is short of memory", lock);
}

/// When the keeper has to look again although nobody wakes it.
SteadyClock::time_point ModelShelf::next_look() const {
    const auto now = SteadyClock::now();
    auto next = now + std::chrono::hours(1);
    for (const auto& [id, slot] : slots_) {
        if (slot->backend == nullptr || slot->users > 0) continue;
        if (options_.idle_unload.count() > 0)
            next = std::min(next, slot->last_used + options_.idle_unload);
        if (options_.low_bytes > 0) next = std::min(next, now + options_.patrol);
    }
    return std::max(next, now + std::chrono::milliseconds(1));
}

/// Tells those that wait how many are ahead: answers that hold the room, and those that came
/// earlier.
void ModelShelf::announce(Lock& lock) {
    std::int64_t position = 0;
    for (const auto& [id, slot] : slots_) position += slot->users;
    std::vector<std::pair<Handler, std::int64_t>> told;
    for (Waiting& waiting : waiting_) {
        if (std::exchange(waiting.announced, position) != position)
            told.emplace_back(waiting.handler, position);
        ++position;
    }
    if (told.empty()) return;
    lock.unlock();
    for (const auto& [handler, place] : told) (*handler)(chat_event::Queued{place});
    lock.lock();
}

void ModelShelf::end_waiting(Lock& lock) {
    const std::deque<Waiting> ended = std::exchange(waiting_, {});
    lock.unlock();
    for (const Waiting& waiting : ended)
        (*waiting.handler)(chat_event::End{.finish = ChatFinish::kCancelled});
    lock.lock();
}

}  // namespace notso::services
