// WaitingLine: the requests that wait for the engine, and who is next: by priority, then users in
// turn, then in order of arrival. Private to the engine; its callers lock.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "ml/runtime/engine_job.hpp"

namespace notso::ml {

class WaitingLine {
  public:
    explicit WaitingLine(std::int32_t max_size) : max_size_(max_size) {}

    /// @errors kOverloaded when it is full; a user with nothing in it gets in up to a quarter more.
    Result<> push(JobPtr job);
    /// A request that ran already and had to make room for others: it goes first.
    void put_back(JobPtr job);
    /// The next one for which `may_run` holds, which stays in the line; null when there is none.
    JobPtr next(const std::function<bool(const Job&)>& may_run) const;
    /// Takes one out, since it begins to run: its user's turn is over.
    void take(const JobPtr& job);
    /// Takes those out for which `which` holds.
    std::vector<JobPtr> remove_if(const std::function<bool(const Job&)>& which);
    /// All of them, in the order in which they would run one by one.
    /// @cost O(n²), n ≤ 5/4 of the largest size.
    std::vector<JobPtr> in_order() const;

    /// Whether anybody waits for one of them.
    bool has_foreground() const;
    std::int32_t size() const noexcept { return static_cast<std::int32_t>(jobs_.size()); }
    bool empty() const noexcept { return jobs_.empty(); }

  private:
    /// When each user had a turn last; users not in it had none lately.
    using Turns = std::unordered_map<std::uint64_t, std::uint64_t>;
    static JobPtr next_of(const std::vector<JobPtr>& jobs,
                          const Turns& turns,
                          const std::function<bool(const Job&)>& may_run);
    void forget_idle_users();

    std::int32_t max_size_;
    std::vector<JobPtr> jobs_;  // by arrival
    Turns turns_;
    std::uint64_t last_turn_ = 0;
};

}  // namespace notso::ml
