#include "services/tools/attachments.hpp"

#include <fstream>

#include "services/attachments/file_text.hpp"
#include "services/attachments/pdf_text.hpp"
#include "services/session/attachment_store.hpp"

namespace notso::services {

Result<std::string> FixedShelf::text(const Attachment& file, const ReadPatience& patience) {
    constexpr auto kMost = static_cast<std::size_t>(kMaxAttachmentBytes);
    std::ifstream in(file.path, std::ios::binary);
    if (!in) return fail(ErrorCode::kIo, "the attached file can't be read any more");
    std::string bytes(kMost + 1, '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(in.gcount()));
    if (is_pdf(bytes)) return pdf_text(file.path, {kMost, patience.deadline, patience.stop});
    if (bytes.size() > kMost)
        return fail(ErrorCode::kTooLarge, "the file has more than {} bytes of text", kMost);
    NOTSO_TRY(FileText read, text_of_file(bytes, {}));
    return read.text ? *std::move(read.text) : std::move(bytes);
}

}  // namespace notso::services
