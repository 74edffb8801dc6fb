// Executor over Asio: what the services call "the io thread".
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/executor.hpp"

namespace notso::app {

class IoExecutor final : public Executor {
  public:
    explicit IoExecutor(boost::asio::io_context& io) : io_(io) {}
    void post(Task task) override { boost::asio::post(io_, std::move(task)); }

  private:
    boost::asio::io_context& io_;
};

}  // namespace notso::app
