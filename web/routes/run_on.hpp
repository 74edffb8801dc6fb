// Runs work on another thread and comes back to the coroutine's own: what takes longer than 1 ms
// leaves the io thread.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "base/executor.hpp"
#include "web/http/exchange.hpp"

namespace notso::web {

/// The result of `work`, which runs on `worker`. Must be awaited on the io thread.
template <class T>
Awaitable<T> run_on(Executor& worker, std::move_only_function<T()> work) {
    const auto io = co_await boost::asio::this_coro::executor;
    auto start = [&worker, &work, &io](auto handler) {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        worker.post([io, resume = std::move(resume), task = std::move(work)]() mutable {
            auto result = std::make_shared<T>(task());
            task = nullptr;
            boost::asio::post(
                io, [resume = std::move(resume), result] { (*resume)(std::move(*result)); });
        });
    };
    co_return co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void(T)>(
        start, boost::asio::use_awaitable);
}

}  // namespace notso::web
