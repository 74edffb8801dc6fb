// Part of every unit test program: makes the logger before any test starts a thread, as the program
// does. Otherwise the first line that some thread logs makes it, inside a library that is compiled
// without ThreadSanitizer, which then can't see that the other threads wait until it is there.
#include <gtest/gtest.h>

#include "base/log.hpp"

namespace notso {
namespace {

class Logger : public testing::Environment {
  public:
    void SetUp() override { ASSERT_TRUE(log::configure("info")); }
};

const testing::Environment* const kLogger = testing::AddGlobalTestEnvironment(new Logger);

}  // namespace
}  // namespace notso
