#include "services/attachments/pdf_text.hpp"

#include <system_error>

#include "base/utf8.hpp"
#include "services/process/child.hpp"

namespace notso::services {
namespace {

constexpr std::uint64_t kMostMemory = 512ULL << 20;
constexpr std::int64_t kMostCpuSeconds = 15;
constexpr std::string_view kMark = "%PDF-";
constexpr std::size_t kMarkWithin = 1024;

Result<ChildOutput> run_pdftotext(const std::filesystem::path& path, const PdfLimits& limits) {
    ChildOptions options{.program = "pdftotext",
                         .max_memory_bytes = kMostMemory,
                         .max_cpu_s = kMostCpuSeconds,
                         .confined = true};
    // Absolute, so that no name is taken for an option.
    std::error_code error;
    options.arguments = {"-enc", "UTF-8", std::filesystem::absolute(path, error).string(), "-"};
    auto out = run_to_end(options,
                          {.max_output_bytes = limits.max_text_bytes + 1,
                           .deadline = limits.deadline,
                           .stop = limits.stop});
    if (out) return out;
    switch (out.error().code) {
        case ErrorCode::kNotFound:
            return fail(ErrorCode::kUnsupported,
                        "PDF files can't be read here: pdftotext is missing (install the package "
                        "poppler-utils)");
        case ErrorCode::kTooLarge:
            return fail(ErrorCode::kTooLarge,
                        "the PDF has more than {} MiB of text: take only some of its pages",
                        limits.max_text_bytes >> 20);
        case ErrorCode::kTimeout:
            return fail(ErrorCode::kTimeout,
                        "the PDF took too long to read: take only some of its pages");
        default:
            return out;
    }
}

}  // namespace

bool is_pdf(std::string_view start) {
    const std::size_t at = start.substr(0, kMarkWithin).find(kMark);
    if (at == 0 || at == std::string_view::npos) return at == 0;
    // Further on it may be what a text is about.
    return !is_valid_utf8(truncate_utf8(start, kMarkWithin)) || start.contains('\0');
}

Result<std::string> pdf_text(const std::filesystem::path& path, const PdfLimits& limits) {
    NOTSO_TRY(const ChildOutput out, run_pdftotext(path, limits));
    if (out.error.contains("Incorrect password")) {
        return fail(ErrorCode::kUnsupported,
                    "the PDF has a password: save a copy without one and attach that");
    }
    constexpr int kKilled = 128;
    if (out.status > kKilled)
        return fail(ErrorCode::kUnsupported,
                    "the PDF needs too much memory or time to read: take only some of its pages");
    if (out.status != 0) return fail(ErrorCode::kUnsupported, "the PDF is damaged");
    std::string text = is_valid_utf8(out.output) ? out.output : repair_utf8(out.output);
    if (text.find_first_not_of(" \t\r\n\f") == std::string::npos) {
        return fail(ErrorCode::kUnsupported,
                    "the PDF has no text, only pictures: text in pictures can't be read here");
    }
    return text;
}

}  // namespace notso::services
