#include "ml/runtime/waiting_line.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace notso::ml {
namespace {

constexpr std::size_t kRememberedUsers = 1000;

bool anyone(const Job& /*job*/) { return true; }

}  // namespace

Result<> WaitingLine::push(JobPtr job) {
    const bool has_others = std::ranges::any_of(
        jobs_, [&](const JobPtr& other) { return other->request.user == job->request.user; });
    const std::int32_t limit = has_others ? max_size_ : max_size_ + max_size_ / 4;
    if (size() >= limit)
        return fail(ErrorCode::kOverloaded, "{} requests are waiting, try again later", size());
    jobs_.push_back(std::move(job));
    return {};
}

void WaitingLine::put_back(JobPtr job) {
    job->was_preempted = true;
    job->announced_position = -1;
    jobs_.insert(jobs_.begin(), std::move(job));
}

JobPtr WaitingLine::next(const std::function<bool(const Job&)>& may_run) const {
    return next_of(jobs_, turns_, may_run);
}

JobPtr WaitingLine::next_of(const std::vector<JobPtr>& jobs,
                            const Turns& turns,
                            const std::function<bool(const Job&)>& may_run) {
    const auto rank = [&](const Job& job) {
        const auto turn = turns.find(job.request.user);
        return std::tuple(
            !job.was_preempted, job.request.priority, turn == turns.end() ? 0 : turn->second);
    };
    const JobPtr* best = nullptr;
    for (const JobPtr& job : jobs)
        if (may_run(*job) && (best == nullptr || rank(*job) < rank(**best))) best = &job;
    return best == nullptr ? nullptr : *best;
}

void WaitingLine::take(const JobPtr& job) {
    std::erase(jobs_, job);
    turns_[job->request.user] = ++last_turn_;
    if (turns_.size() > kRememberedUsers) forget_idle_users();
}

void WaitingLine::forget_idle_users() {
    std::erase_if(turns_, [this](const auto& entry) {
        return std::ranges::none_of(
            jobs_, [&](const JobPtr& job) { return job->request.user == entry.first; });
    });
}

std::vector<JobPtr> WaitingLine::remove_if(const std::function<bool(const Job&)>& which) {
    const auto removed = std::stable_partition(
        jobs_.begin(), jobs_.end(), [&](const JobPtr& job) { return !which(*job); });
    std::vector<JobPtr> out(removed, jobs_.end());
    jobs_.erase(removed, jobs_.end());
    return out;
}

bool WaitingLine::has_foreground() const {
    return std::ranges::any_of(jobs_, [](const JobPtr& job) { return !job->is_background(); });
}

std::vector<JobPtr> WaitingLine::in_order() const {
    std::vector<JobPtr> left = jobs_;
    std::vector<JobPtr> out;
    Turns turns = turns_;
    for (std::uint64_t turn = last_turn_ + 1; !left.empty(); ++turn) {
        out.push_back(next_of(left, turns, anyone));
        turns[out.back()->request.user] = turn;
        std::erase(left, out.back());
    }
    return out;
}

}  // namespace notso::ml
