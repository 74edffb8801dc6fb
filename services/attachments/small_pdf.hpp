// For tests: PDF files that are as small as they can be.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace notso::services {

/// One page for each content; the table of places is right.
/// @param trailer  More members of the trailer.
inline std::string pdf_of(const std::vector<std::string>& contents, std::string_view trailer = "") {
    std::vector<std::string> objects = {
        "<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"};
    std::string kids;
    for (const std::string& content : contents) {
        kids += fmt::format("{} 0 R ", objects.size() + 1);
        objects.push_back(
            fmt::format("<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {} 0 R"
                        "/Resources<</Font<</F1 3 0 R>>>>>>",
                        objects.size() + 2));
        objects.push_back(
            fmt::format("<</Length {}>>stream\n{}\nendstream", content.size(), content));
    }
    objects[1] = fmt::format("<</Type/Pages/Count {}/Kids[{}]>>", contents.size(), kids);
    std::string pdf = "%PDF-1.4\n";
    std::string table;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        table += fmt::format("{:010} 00000 n \n", pdf.size());
        pdf += fmt::format("{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
    }
    const std::size_t place = pdf.size();
    return pdf + fmt::format(
                     "xref\n0 {}\n0000000000 65535 f \n{}trailer<</Size {}/Root 1 0 "
                     "R{}>>\nstartxref\n{}\n%%EOF\n",
                     objects.size() + 1,
                     table,
                     objects.size() + 1,
                     trailer,
                     place);
}

/// Its pages say "Page N says hello".
inline std::string small_pdf(int pages) {
    std::vector<std::string> contents;
    for (int i = 1; i <= pages; ++i)
        contents.push_back(fmt::format("BT /F1 24 Tf 50 700 Td (Page {} says hello) Tj ET", i));
    return pdf_of(contents);
}

/// A page with a line on it, as a scanned one has only a picture.
inline std::string pdf_without_text() { return pdf_of({"0 0 m 100 100 l S"}); }

/// Nobody knows the password.
inline std::string pdf_with_password() {
    const std::string secret(64, '7');
    return pdf_of({"BT ET"},
                  fmt::format("/ID[<{0}><{0}>]/Encrypt<</Filter/Standard/V 1/R 2/Length 40/P -4"
                              "/O<{0}>/U<{0}>>>",
                              secret));
}

}  // namespace notso::services
