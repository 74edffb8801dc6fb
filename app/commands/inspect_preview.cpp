#include "app/commands/inspect_preview.hpp"

#include <array>
#include <iostream>

#include "app/answer.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 6> kRoleTokens = {
    "<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"};

std::string_view scaling_name(ml::RopeScaling scaling) {
    switch (scaling) {
        case ml::RopeScaling::kNone:
            return "none";
        case ml::RopeScaling::kLinear:
            return "linear";
        case ml::RopeScaling::kYarn:
            break;
    }
    return "yarn";
}

std::string_view text_of(const ml::gguf::File& file, std::string_view key) {
    const auto value = file.get_string(key);
    return value ? value->value_or("") : "";
}

json::object shape_json(const ml::ModelSpec& spec, const ml::ModelPreview& preview) {
    const ml::ModelConfig& config = spec.config;
    json::object out;
    out["layers"] = config.n_layers;
    out["embedding"] = config.n_embd;
    out["feed_forward"] = config.n_ff;
    out["heads"] = config.n_heads;
    out["kv_heads"] = config.n_kv_heads;
    out["head_dim"] = config.head_dim;
    out["vocabulary"] = config.n_vocab;
    out["context"] = config.context_length;
    out["rope"] = {{"base", spec.rope.base},
                   {"dimensions", spec.rope.n_rot},
                   {"scaling", scaling_name(spec.rope.scaling)},
                   {"factor", spec.rope.factor}};
    out["nope_layers"] = json::value_from(preview.nope_layers);
    return out;
}

json::value memory_json(const ml::ModelPreview& preview) {
    if (!preview.memory) return nullptr;
    const ml::MemoryPlan& plan = *preview.memory;
    return {{"weights", plan.weight_bytes},
            {"buffers", plan.buffer_bytes},
            {"kv_per_token", plan.kv_bytes_per_token},
            {"context", plan.context_length},
            {"needed", plan.total_bytes()},
            {"available", preview.available_bytes},
            {"fits", preview.fits}};
}

json::value id_or_null(const std::optional<ml::TokenId>& id) {
    return id ? json::value(ml::to_int(*id)) : json::value(nullptr);
}

json::object tokenizer_json(const ml::gguf::File& file, const ml::Tokenizer& tokenizer) {
    json::object out;
    out["model"] = repair_utf8(text_of(file, "tokenizer.ggml.model"));
    out["pre"] = repair_utf8(text_of(file, "tokenizer.ggml.pre"));
    out["tokens"] = tokenizer.vocab_size();
    out["bos"] = id_or_null(tokenizer.bos());
    out["eos"] = id_or_null(tokenizer.eos());
    out["adds_bos"] = tokenizer.adds_bos();
    json::array ends;
    for (const ml::TokenId id : tokenizer.end_tokens()) ends.push_back(ml::to_int(id));
    out["end_tokens"] = std::move(ends);
    json::object roles;
    for (const std::string_view name : kRoleTokens)
        if (const auto id = tokenizer.find(name)) roles[name] = ml::to_int(*id);
    out["role_tokens"] = std::move(roles);
    return out;
}

void row(std::string_view name, std::string_view text) {
    std::cout << fmt::format("  {:<16} {}\n", name, terminal_safe(text));
}

void print_shape(const ml::ModelSpec& spec, const ml::ModelPreview& preview) {
    const ml::ModelConfig& config = spec.config;
    row("architecture", config.architecture);
    row("shape",
        fmt::format("{} layers, width {}, feed-forward {}, {} heads ({} KV) of {}",
                    config.n_layers,
                    config.n_embd,
                    config.n_ff,
                    config.n_heads,
                    config.n_kv_heads,
                    config.head_dim));
    row("positions",
        fmt::format("{} trained; base {}, scaling {}; {} of {} layers without rotation",
                    config.context_length,
                    spec.rope.base,
                    scaling_name(spec.rope.scaling),
                    preview.nope_layers.size(),
                    config.n_layers));
}

void print_memory(const ml::ModelPreview& preview) {
    if (!preview.memory) return;
    row("memory", preview.memory->to_string());
    row("",
        fmt::format("{} are free{}",
                    mebibytes(preview.available_bytes),
                    preview.fits ? "" : ": too little; use a smaller model or free some"));
}

void print_tokenizer(const ml::gguf::File& file, const ml::Tokenizer& tokenizer) {
    const json::object facts = tokenizer_json(file, tokenizer);
    row("tokenizer",
        fmt::format("byte-level BPE, pre {}, {} tokens, BOS {}{}, end {}",
                    log::field(text_of(file, "tokenizer.ggml.pre")),
                    tokenizer.vocab_size(),
                    json::serialize(facts.at("bos")),
                    tokenizer.adds_bos() ? " (added)" : "",
                    json::serialize(facts.at("end_tokens"))));
    row("role tokens", json::serialize(facts.at("role_tokens")));
}

}  // namespace

json::object preview_json(const ml::gguf::File& file, const ml::ModelPreview& preview) {
    json::object out;
    out["runs"] = preview.problems.empty();
    json::array problems;
    for (const auto& problem : preview.problems)
        problems.push_back({{"part", problem.part}, {"detail", repair_utf8(problem.detail)}});
    out["problems"] = std::move(problems);
    out["architecture"] = repair_utf8(text_of(file, "general.architecture"));
    json::array types;
    for (const ml::PreviewType& type : preview.types)
        types.push_back(
            {{"type", type.name},
             {"tensors", type.n_tensors},
             {"bytes", type.bytes},
             {"kernel", type.kernel.empty() ? json::value(nullptr) : json::value(type.kernel)}});
    out["types"] = std::move(types);
    out["shape"] = preview.spec ? json::value(shape_json(*preview.spec, preview)) : nullptr;
    out["memory"] = memory_json(preview);
    out["tokenizer"] =
        preview.tokenizer ? json::value(tokenizer_json(file, *preview.tokenizer)) : nullptr;
    out["chat_template_bytes"] = text_of(file, "tokenizer.chat_template").size();
    return out;
}

void print_preview(const ml::gguf::File& file, const ml::ModelPreview& preview) {
    std::cout << (preview.problems.empty() ? "\nThis model runs.\n"
                                           : "\nThis model does not run:\n");
    for (const auto& problem : preview.problems) row(problem.part, problem.detail);
    if (preview.spec) print_shape(*preview.spec, preview);
    for (const ml::PreviewType& type : preview.types)
        row(type.name,
            fmt::format("{} tensors, {} bytes, {}",
                        type.n_tensors,
                        type.bytes,
                        type.kernel.empty() ? "does not run" : "kernels " + type.kernel));
    print_memory(preview);
    if (preview.tokenizer) print_tokenizer(file, *preview.tokenizer);
    const std::size_t bytes = text_of(file, "tokenizer.chat_template").size();
    row("chat template", bytes == 0 ? "none" : fmt::format("{} bytes", bytes));
}

}  // namespace notso::app
