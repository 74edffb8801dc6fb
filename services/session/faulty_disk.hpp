// FaultyDisk: for tests, an SQLite file system whose Nth open, write, truncation, sync or deletion
// fails, once or from then on. While one lives, every database that is opened goes through it.
#pragma once

#include <atomic>
#include <cstdint>

namespace notso::services {

/// What a failing call says, as SQLite's own file system would.
enum class DiskFault {
    kFull,  ///< No space left: writes say so, the rest fails as with kIo.
    kIo,    ///< The device fails.
    kTorn,  ///< Half of a write arrives, then the device fails.
};

enum class FaultLength { kOnce, kUntilHealed };

class FaultyDisk {
  public:
    FaultyDisk();
    ~FaultyDisk();
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;

    /// From now on the nth call fails (1 = the next one).
    void fail_at(std::int64_t n, DiskFault fault, FaultLength length);
    void heal();
    /// Whether a call has failed since fail_at().
    bool has_failed() const;
};

}  // namespace notso::services
