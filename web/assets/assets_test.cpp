// The embedded files: whole, named by their content, small enough.
#include "web/assets/assets.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <array>
#include <regex>

namespace notso::web {
namespace {

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
    std::string hex;
    for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
    return hex;
}

TEST(Assets, AreNamedByTheirContent) {
    for (const Asset& asset : assets()) {
        EXPECT_EQ(find_asset(asset.url), &asset);
        EXPECT_NE(asset.url.find("." + sha256_hex(asset.bytes).substr(0, 12) + "."),
                  std::string_view::npos)
            << asset.url;
        EXPECT_TRUE(asset.gzip_bytes.starts_with("\x1f\x8b")) << asset.name;
    }
    EXPECT_EQ(find_asset("/assets/app.css"), nullptr);
    EXPECT_TRUE(asset_url("app.css").starts_with("/assets/app."));
}

TEST(Assets, BundlesHoldTheirParts) {
    const Asset* script = find_asset(asset_url("app.js"));
    const Asset* style = find_asset(asset_url("app.css"));
    EXPECT_TRUE(script->bytes.starts_with("var htmx="));
    EXPECT_TRUE(script->bytes.contains("registerExtension(\"sse\""));
    EXPECT_TRUE(script->bytes.contains("turn-end"));
    EXPECT_TRUE(style->bytes.contains("prefers-reduced-motion"));
    EXPECT_EQ(script->content_type, "text/javascript; charset=utf-8");
}

TEST(Assets, TheWholePageIsSmall) {
    std::size_t compressed = 0;
    for (const char* name : {"app.css", "app.js", "icon.svg"})
        compressed += find_asset(asset_url(name))->gzip_bytes.size();
    // The promise is 100 kB with the page itself, which takes some 10.
    EXPECT_LT(compressed, 60U * 1024);
    for (const Asset& asset : assets()) EXPECT_LT(asset.gzip_bytes.size(), 56U * 1024) << asset.name;
}

// The content security policy would stop them; a template that has one is a mistake.
TEST(Assets, TemplatesHaveNoInlineScriptOrStyle) {
    const std::regex kHandler("\\son[a-z]+\\s*=");
    EXPECT_GE(page_templates().size(), 15U);
    for (const PageTemplate& page : page_templates()) {
        EXPECT_FALSE(page.source.contains("style=")) << page.name;
        EXPECT_FALSE(page.source.contains("<style")) << page.name;
        EXPECT_FALSE(std::regex_search(std::string(page.source), kHandler)) << page.name;
        EXPECT_FALSE(page.source.contains("hx-on")) << page.name;
        EXPECT_FALSE(page.source.contains("js:")) << page.name;
    }
}

}  // namespace
}  // namespace notso::web
