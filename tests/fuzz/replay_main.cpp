// Runs a fuzz target over files and folders, then over damaged copies of each: TARGET COPIES PATH…
// Built by the usual compiler, so that the default test run needs no libFuzzer.
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/target.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> inputs(char** begin, char** end) {
    std::vector<fs::path> found;
    for (; begin != end; ++begin) {
        if (!fs::is_directory(*begin)) {
            found.emplace_back(*begin);
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(*begin)) {
            if (entry.is_regular_file()) found.push_back(entry.path());
        }
    }
    return found;
}

void run(const std::string& text) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

/// Changes, removes, doubles and inserts bytes; the same copies on every run.
std::string damaged(std::string text, std::mt19937_64& random) {
    for (std::uint64_t hits = 1 + random() % 4; hits > 0 && !text.empty(); --hits) {
        const std::size_t at = random() % text.size();
        const std::size_t length = 1 + random() % 8;
        switch (random() % 4) {
            case 0:
                text[at] = static_cast<char>(random());
                break;
            case 1:
                text.erase(at, length);
                break;
            case 2:
                text.insert(at, text.substr(random() % text.size(), length));
                break;
            default:
                text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
        }
    }
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    int copies = -1;
    if (argc > 2) {
        const std::string_view digits(argv[1]);
        std::from_chars(digits.data(), digits.data() + digits.size(), copies);
    }
    const auto files = inputs(argv + std::min(argc, 2), argv + argc);
    if (copies < 0 || files.empty()) {
        std::fprintf(stderr, "usage: %s COPIES FILE_OR_FOLDER…\n", argv[0]);
        return 2;
    }
    std::mt19937_64 random(20251125);
    for (const fs::path& path : files) {
        std::ifstream in(path, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        run(text);
        for (int i = 0; i < copies; ++i) run(damaged(text, random));
    }
    std::printf("%zu seeds, %d damaged copies of each\n", files.size(), copies);
    return 0;
}
