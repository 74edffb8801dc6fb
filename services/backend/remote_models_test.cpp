// Lists of models in the dialects of several servers, and hostile ones.
#include "services/backend/remote_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/backend/remote_answer.hpp"

namespace notso::services {
namespace {

Result<RemoteModel> choose(std::string_view listing, std::string_view wanted = "") {
    auto parsed = parse_remote_json(listing);
    EXPECT_TRUE(parsed.has_value()) << listing;
    return choose_remote_model(parsed.value_or(nullptr), wanted);
}

TEST(RemoteModelsTest, ReadsTheDialects) {
    const auto vllm =
        choose(R"({"object":"list","data":[{"id":"Qwen/Qwen3-8B","max_model_len":40960}]})");
    ASSERT_TRUE(vllm.has_value());
    EXPECT_EQ(vllm->id, "Qwen/Qwen3-8B");
    EXPECT_EQ(vllm->name, "Qwen/Qwen3-8B");
    EXPECT_EQ(vllm->context_length, 40960);
    EXPECT_TRUE(vllm->can_think);
    const auto llama =
        choose(R"({"data":[{"id":"m.gguf","meta":{"n_ctx_train":131072,"n_params":3000000000}}]})");
    EXPECT_EQ(llama->context_length, 131072);
    EXPECT_EQ(llama->n_parameters, 3'000'000'000u);
    EXPECT_EQ(choose(R"({"data":[{"id":"m","meta":{"n_ctx":4096,"n_ctx_train":131072}}]})")
                  ->context_length,
              4096);
    const auto notso = choose(
        R"({"data":[{"id":"S.Q4_1","meta":{"name":"S","context_length":2048,"can_think":false}}]})");
    EXPECT_EQ(notso->name, "S");
    EXPECT_EQ(notso->context_length, 2048);
    EXPECT_FALSE(notso->can_think);
}

TEST(RemoteModelsTest, ChoosesTheWantedOneElseTheFirst) {
    constexpr std::string_view kTwo = R"({"data":[{"id":"a"},{"id":"b","context_length":10}]})";
    EXPECT_EQ(choose(kTwo)->id, "a");
    EXPECT_EQ(choose(kTwo, "b")->context_length, 10);
    EXPECT_EQ(choose(kTwo, "alias")->id, "alias");
    const auto none = choose(R"({"data":[]})");
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(choose(R"({"data":[]})", "named")->id, "named");
}

TEST(RemoteModelsTest, HostileListsDoNoHarm) {
    for (const std::string_view listing :
         {"[]", "{}", "null", R"({"data":{}})", R"({"models":3})"}) {
        const auto refused = choose(listing);
        ASSERT_FALSE(refused.has_value()) << listing;
        EXPECT_EQ(refused.error().code, ErrorCode::kCorruptData);
    }
    // Ids with control characters or without end are not shown to anyone.
    EXPECT_EQ(choose("{\"data\":[1,{\"id\":7},{\"id\":\"\"},{\"id\":\"a\\u001b[2J\"},{\"id\":\"" +
                     std::string(300, 'x') + "\"},{\"id\":\"good\"}]}")
                  ->id,
              "good");
    const auto odd = choose(
        R"({"data":[{"id":"m","context_length":-5,"max_model_len":"9","meta":{"name":"x\n\u0007y","n_ctx":1e300,"n_ctx_train":9223372036854775807,"can_think":"no"}}]})");
    EXPECT_EQ(odd->name, "xy");
    EXPECT_EQ(odd->context_length, 1 << 24);
    EXPECT_TRUE(odd->can_think);
}

}  // namespace
}  // namespace notso::services
