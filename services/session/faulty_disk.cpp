#include "services/session/faulty_disk.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace notso::services {
namespace {

// SQLite knows file systems by plain functions: what they share has to be here.
struct State {
    sqlite3_vfs* real = nullptr;
    sqlite3_vfs shim{};
    std::atomic<std::int64_t> calls_left = 0;  // until one fails; 0: none does
    std::atomic<bool> failed = false;
    DiskFault fault = DiskFault::kIo;
    FaultLength length = FaultLength::kOnce;
};
State state;

/// Whether this call fails.
bool strikes() {
    if (state.failed && state.length == FaultLength::kUntilHealed) return true;
    if (state.calls_left == 0 || --state.calls_left > 0) return false;
    state.failed = true;
    return true;
}

struct File {
    sqlite3_file base;
    sqlite3_file* real;  // stands behind it in the same memory
};

sqlite3_file* real_of(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }
const sqlite3_io_methods* real_methods(sqlite3_file* file) { return real_of(file)->pMethods; }

int close_file(sqlite3_file* file) { return real_methods(file)->xClose(real_of(file)); }
int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    return real_methods(file)->xRead(real_of(file), to, size, at);
}
int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    if (!strikes()) return real_methods(file)->xWrite(real_of(file), from, size, at);
    if (state.fault == DiskFault::kTorn)
        real_methods(file)->xWrite(real_of(file), from, size / 2, at);
    return state.fault == DiskFault::kFull ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
    if (strikes()) return SQLITE_IOERR_TRUNCATE;
    return real_methods(file)->xTruncate(real_of(file), size);
}
// Nothing crashes here, so that nothing has to reach the platters: tests stay quick.
int sync_file(sqlite3_file*, int) { return strikes() ? SQLITE_IOERR_FSYNC : SQLITE_OK; }
int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return real_methods(file)->xFileSize(real_of(file), size);
}
int lock_file(sqlite3_file* file, int kind) {
    return real_methods(file)->xLock(real_of(file), kind);
}
int unlock_file(sqlite3_file* file, int kind) {
    return real_methods(file)->xUnlock(real_of(file), kind);
}
int check_lock(sqlite3_file* file, int* taken) {
    return real_methods(file)->xCheckReservedLock(real_of(file), taken);
}
int control_file(sqlite3_file* file, int what, void* argument) {
    return real_methods(file)->xFileControl(real_of(file), what, argument);
}
int sector_size(sqlite3_file* file) { return real_methods(file)->xSectorSize(real_of(file)); }
int device_traits(sqlite3_file* file) {
    return real_methods(file)->xDeviceCharacteristics(real_of(file));
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
    return real_methods(file)->xShmMap(real_of(file), page, size, extend, memory);
}
int lock_shared(sqlite3_file* file, int offset, int n, int flags) {
    return real_methods(file)->xShmLock(real_of(file), offset, n, flags);
}
void shared_barrier(sqlite3_file* file) { real_methods(file)->xShmBarrier(real_of(file)); }
int unmap_shared(sqlite3_file* file, int remove) {
    return real_methods(file)->xShmUnmap(real_of(file), remove);
}

const sqlite3_io_methods kMethods = {2,
                                     close_file,
                                     read_file,
                                     write_file,
                                     truncate_file,
                                     sync_file,
                                     file_size,
                                     lock_file,
                                     unlock_file,
                                     check_lock,
                                     control_file,
                                     sector_size,
                                     device_traits,
                                     map_shared,
                                     lock_shared,
                                     shared_barrier,
                                     unmap_shared,
                                     nullptr,
                                     nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* to, int flags, int* out_flags) {
    auto* file = reinterpret_cast<File*>(to);
    file->base.pMethods = nullptr;
    file->real = reinterpret_cast<sqlite3_file*>(file + 1);
    if (strikes()) return SQLITE_CANTOPEN;
    const int code = state.real->xOpen(state.real, name, file->real, flags, out_flags);
    if (code == SQLITE_OK) file->base.pMethods = &kMethods;
    return code;
}

int delete_file(sqlite3_vfs*, const char* name, int sync) {
    if (strikes()) return SQLITE_IOERR_DELETE;
    return state.real->xDelete(state.real, name, sync);
}

}  // namespace

FaultyDisk::FaultyDisk() {
    state.real = sqlite3_vfs_find(nullptr);
    state.shim = *state.real;
    state.shim.zName = "faulty";
    state.shim.szOsFile = static_cast<int>(sizeof(File)) + state.real->szOsFile;
    state.shim.xOpen = open_file;
    state.shim.xDelete = delete_file;
    heal();
    sqlite3_vfs_register(&state.shim, 1);
}

FaultyDisk::~FaultyDisk() {
    sqlite3_vfs_unregister(&state.shim);
    sqlite3_vfs_register(state.real, 1);
}

void FaultyDisk::fail_at(std::int64_t n, DiskFault fault, FaultLength length) {
    state.failed = false;
    state.fault = fault;
    state.length = length;
    state.calls_left = n;
}

void FaultyDisk::heal() {
    state.calls_left = 0;
    state.length = FaultLength::kOnce;
}

bool FaultyDisk::has_failed() const { return state.failed; }

}  // namespace notso::services
