// Opens, loads and uses model files that may be malformed, many in one process; run.py judges what
// it prints. A mutant depends on its seed and number only, so that each can be made again.
//   classes                  a path per line of stdin → milliseconds of processor time and three
//                            verdicts, by tabs
//   truncate FILE SIZE       the first 0, 1, … SIZE - 1 bytes of FILE; none may load
//   mutants FILE SEED FROM TO STATUS   numbers [FROM, TO); STATUS holds the number being tried
//   mutant FILE SEED NUMBER OUT        writes one mutant
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "ml/gguf/file.hpp"
#include "ml/gguf/header.hpp"
#include "ml/model/model.hpp"
#include "ml/runtime/kv_cache.hpp"
#include "ml/sampling/sampler.hpp"
#include "ml/tokenizer/tokenizer.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace {

using namespace notso;
using Clock = std::chrono::steady_clock;

constexpr unsigned kHangSeconds = 20;
constexpr std::string_view kText = "Hello the\t w\xC3\xB6rld 12 <|im_start|>\xFF\n";

struct Verdict {
    std::string open = "-";
    std::string tokenizer = "-";
    std::string load = "-";
    bool loaded() const { return load == "-"; }
};

/// A few steps of generation; only a crash is wrong.
void use(const ml::Model& model) {
    const ml::Tokenizer& tokenizer = model.tokenizer();
    std::vector<ml::TokenId> ids = tokenizer.encode(kText, {.special = ml::SpecialTokens::kParse});
    const std::string back = tokenizer.decode(ids) + tokenizer.decode(ids, false);
    if (ids.empty()) ids.push_back(ml::TokenId{0});
    ids.resize(std::min<std::size_t>(ids.size(), 5));
    constexpr std::int32_t kCapacity = 8;
    const auto cache = ml::KvCache::create(model.config(), kCapacity, ml::KvType::kF16);
    if (!cache) return;
    std::vector<float> logits(static_cast<std::size_t>(model.config().n_vocab));
    ml::Sampler sampler({.temperature = 0});
    for (int step = 0; step < 3; ++step) {
        if (!model.forward(ids, **cache, logits)) return;
        const auto next = sampler.sample(logits);
        if (!next) return;
        sampler.accept(*next);
        ids.assign(1, *next);
        if (tokenizer.token_bytes(*next).size() > back.max_size()) std::abort();
    }
}

Verdict judge(const std::filesystem::path& path) {
    ::alarm(kHangSeconds);
    Verdict verdict;
    {
        const auto file = ml::gguf::File::open(path);
        if (!file) {
            verdict.open = verdict.tokenizer = verdict.load = file.error().detail;
            return verdict;
        }
        const auto tokenizer = ml::Tokenizer::from_gguf(**file);
        if (!tokenizer) verdict.tokenizer = tokenizer.error().detail;
    }
    const auto model = ml::Model::load(path, {.n_threads = 1});
    if (!model) {
        verdict.load = model.error().detail;
    } else {
        use(**model);
    }
    ::alarm(0);
    return verdict;
}

std::vector<std::byte> read_file(const char* path) {
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::uint64_t number(const char* text) {
    const std::string_view digits(text);
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

/// SplitMix64: all of a mutant comes from its seed and number.
class Dice {
  public:
    Dice(std::uint64_t seed, std::uint64_t index) : state_(seed * 0x9E3779B97F4A7C15ULL + index) {
        roll();
        state_ ^= index << 32;
    }
    std::uint64_t roll() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t end) { return roll() % end; }

  private:
    std::uint64_t state_;
};

std::size_t header_size(std::span<const std::byte> bytes) {
    const auto outcome = ml::gguf::parse_header(bytes, bytes.size());
    std::uint64_t first = bytes.size();
    if (outcome.header) {
        for (const auto& tensor : outcome.header->tensors) first = std::min(first, tensor.offset);
    }
    return first;
}

/// One changed bit in half of the mutants, one changed byte in a quarter, up to 8 in the others.
/// Nine out of ten changes hit the header.
void mutate(std::span<std::byte> bytes, std::size_t header, Dice dice) {
    const std::uint64_t kind = dice.below(4);
    std::uint64_t hits = kind == 3 ? 1 + dice.below(8) : 1;
    for (; hits > 0; --hits) {
        std::byte& byte = bytes[dice.below(dice.below(10) == 0 ? bytes.size() : header)];
        if (kind < 2) {
            byte ^= std::byte{1} << static_cast<int>(dice.below(8));
        } else {
            byte = static_cast<std::byte>(dice.below(3) == 0 ? 0xFF : dice.roll());
        }
    }
}

std::string one_line(std::string text) {
    std::ranges::replace_if(text, [](char c) { return c == '\t' || c == '\n'; }, ' ');
    return text;
}

int classes() {
    for (std::string path; std::getline(std::cin, path);) {
        std::cerr << path << std::endl;           // the last one is the one that crashed
        const std::clock_t start = std::clock();  // processor time: other programs don't count
        const Verdict verdict = judge(path);
        const double ms = 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        std::cout << fmt::format("{:.2f}\t{}\t{}\t{}\n",
                                 ms,
                                 one_line(verdict.open),
                                 one_line(verdict.tokenizer),
                                 one_line(verdict.load));
    }
    return 0;
}

int truncate(const char* path, std::size_t size) {
    const std::vector<std::byte> whole = read_file(path);
    if (size == 0) size = header_size(whole);
    const test::MemoryFile file;
    for (std::size_t length = 0; length < std::min(size, whole.size()); ++length) {
        file.assign(std::span(whole).first(length));
        const Verdict verdict = judge(file.path());
        if (verdict.open != "-" && verdict.open.contains("byte")) continue;
        std::cout << fmt::format("the first {} bytes: {}\n", length, verdict.open);
        return 1;
    }
    std::cout << fmt::format("{} truncations, none loads\n", size);
    return 0;
}

struct Range {
    std::uint64_t seed, from, to;
};

int mutants(const char* path, Range range, const char* status) {
    const std::vector<std::byte> whole = read_file(path);
    const std::size_t header = header_size(whole);
    const int fd = ::open(status, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const test::MemoryFile file;
    std::uint64_t loaded = 0;
    double slowest = 0;
    for (std::uint64_t i = range.from; i < range.to; ++i) {
        if (::pwrite(fd, &i, sizeof i, 0) != sizeof i) return 2;
        std::vector<std::byte> bytes = whole;
        mutate(bytes, header, Dice(range.seed, i));
        file.assign(bytes);
        const auto start = Clock::now();
        loaded += judge(file.path()).loaded() ? 1 : 0;
        slowest = std::max(slowest,
                           std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    ::close(fd);
    std::cout << fmt::format(
        "{} mutants, {} load and run, slowest {:.0f} ms\n", range.to - range.from, loaded, slowest);
    return 0;
}

int write_mutant(const char* path, std::uint64_t seed, std::uint64_t index, const char* out) {
    std::vector<std::byte> bytes = read_file(path);
    mutate(bytes, header_size(bytes), Dice(seed, index));
    std::ofstream(out, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (!log::configure("off")) return 2;  // stdout has verdicts only
    const std::string_view mode = argc > 1 ? argv[1] : "";
    if (mode == "classes" && argc == 2) return classes();
    if (mode == "truncate" && argc == 4) return truncate(argv[2], number(argv[3]));
    if (mode == "mutants" && argc == 7) {
        return mutants(argv[2], {number(argv[3]), number(argv[4]), number(argv[5])}, argv[6]);
    }
    if (mode == "mutant" && argc == 6)
        return write_mutant(argv[2], number(argv[3]), number(argv[4]), argv[5]);
    std::cerr << "see the first lines of driver.cpp\n";
    return 2;
}
