// Which model a name means.
#include "services/commands/named_models.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

NamedModels named(std::string_view name) {
    std::vector<ModelEntry> models(3);
    models[0].info.id = "SmolLM2-135M";
    models[1].info.id = "SmolLM3-3B";
    models[2].info.id = "3B";
    return models_named(models, name);
}

TEST(NamedModels, ByTheIdOrByAPartThatOnlyOneHas) {
    EXPECT_EQ(named("SmolLM3-3B").id, "SmolLM3-3B");
    EXPECT_EQ(named("135m").id, "SmolLM2-135M");
    EXPECT_EQ(named("3B").id, "3B") << "the whole id goes before a part";
}

TEST(NamedModels, WhatItCouldBe) {
    EXPECT_FALSE(named("smol").id);
    EXPECT_EQ(id_list(named("smol").similar), "SmolLM2-135M, SmolLM3-3B");
    EXPECT_FALSE(named("llama").id);
    EXPECT_TRUE(named("llama").similar.empty());
    EXPECT_EQ(id_list(named("llama").all), "SmolLM2-135M, SmolLM3-3B, 3B");
    EXPECT_FALSE(models_named({}, "a").id);
}

}  // namespace
}  // namespace notso::services
