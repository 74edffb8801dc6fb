// Names and addresses of models: what is accepted, and that no text leads to an unsafe file name.
#include "services/models/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace notso::services {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHub = "https://hub.test";

TEST(Catalogue, NamesLeadToFilesOfTheHub) {
    const auto source = find_model_source("smollm3", kHub);
    ASSERT_TRUE(source) << source.error().detail;
    EXPECT_EQ(source->file_name, "SmolLM3-3B-Q4_K_M.gguf");
    EXPECT_EQ(source->url,
              "https://hub.test/unsloth/SmolLM3-3B-GGUF/resolve/main/SmolLM3-3B-Q4_K_M.gguf");
    EXPECT_EQ(source->pointer_url,
              "https://hub.test/unsloth/SmolLM3-3B-GGUF/raw/main/SmolLM3-3B-Q4_K_M.gguf");
    EXPECT_EQ(find_in_catalogue("smollm2"), find_in_catalogue("smollm2-135m"));
}

TEST(Catalogue, EveryEntryCanBeFetched) {
    std::set<std::string_view> names;
    for (const CatalogueEntry& entry : model_catalogue()) {
        EXPECT_TRUE(find_model_source(entry.name)) << entry.name;
        EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
        EXPECT_EQ(find_model_source(entry.name)->file_name, entry.file_name());
    }
}

TEST(Catalogue, AnUnknownNameSaysWhichThereAre) {
    const auto source = find_model_source("smollm9");
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(source.error().detail, HasSubstr("smollm3, smollm2-1.7b"));
}

TEST(Catalogue, PathsOfTheHubMayLieInFolders) {
    for (const char* text : {"owner/repo/sub/tiny.gguf", "hf.co/owner/repo/sub/tiny.gguf"}) {
        const auto source = find_model_source(text, kHub);
        ASSERT_TRUE(source) << text;
        EXPECT_EQ(source->file_name, "tiny.gguf");
        EXPECT_EQ(source->url, "https://hub.test/owner/repo/resolve/main/sub/tiny.gguf");
        EXPECT_EQ(source->pointer_url, "https://hub.test/owner/repo/raw/main/sub/tiny.gguf");
    }
}

TEST(Catalogue, OnlyAddressesOfTheHubHaveAPointer) {
    const auto own =
        find_model_source("https://hub.test/o/r/resolve/v1/a.gguf?download=true", kHub);
    ASSERT_TRUE(own);
    EXPECT_EQ(own->pointer_url, "https://hub.test/o/r/raw/v1/a.gguf");
    EXPECT_EQ(own->url, "https://hub.test/o/r/resolve/v1/a.gguf?download=true");
    const auto other = find_model_source("https://hub.testing/o/r/resolve/v1/a.gguf", kHub);
    ASSERT_TRUE(other);
    EXPECT_EQ(other->pointer_url, "");
}

TEST(Catalogue, FileNamesAreSafe) {
    const auto name = [](std::string_view last) {
        const auto source = find_model_source(fmt::format("http://h/x/{}", last));
        return source ? source->file_name : "refused";
    };
    EXPECT_EQ(name("My%20Model.gguf"), "My_Model.gguf");
    EXPECT_EQ(name("..%2F..%2Fetc%2Fx.gguf"), "x.gguf");
    EXPECT_EQ(name("..gguf"), "_.gguf");
    EXPECT_EQ(name("-rf.gguf"), "_rf.gguf");
    EXPECT_EQ(name("a%00b%0A.gguf"), "a_b_.gguf");
    EXPECT_EQ(name("%zz%1.gguf"), "_zz_1.gguf");
    EXPECT_EQ(name(".gguf"), "refused");
    EXPECT_EQ(name("model.bin"), "refused");
    EXPECT_EQ(name("x.gguf.part"), "refused");
    EXPECT_EQ(name(std::string(196, 'x') + ".gguf"), "refused");
    EXPECT_EQ(name("m-00001-of-00002.gguf"), "refused");
    EXPECT_EQ(name("m-0001-of-0002.gguf"), "m-0001-of-0002.gguf");
}

TEST(Catalogue, RefusesWhatIsNoAddress) {
    for (const std::string& text : {std::string("https:///x.gguf"),
                                    std::string("https://user:secret@h/x.gguf"),
                                    std::string("http://h/a b.gguf"),
                                    std::string("http://h/x\n.gguf"),
                                    std::string("http://h"),
                                    std::string("owner/tiny.gguf"),
                                    std::string("owner/../x.gguf"),
                                    std::string("/etc/x/y.gguf"),
                                    std::string("owner/re po/x.gguf"),
                                    std::string("ftp://h/x.gguf"),
                                    "http://h/" + std::string(3000, 'x') + ".gguf"}) {
        const auto source = find_model_source(text);
        ASSERT_FALSE(source) << text;
        EXPECT_EQ(source.error().code, ErrorCode::kInvalidArgument) << text;
        EXPECT_THAT(source.error().detail, ::testing::Not(HasSubstr("secret")));
    }
}

}  // namespace
}  // namespace notso::services
