// Entry points of the engine: parse, load, render; and JSON into values. See ../template.hpp.
#include "services/template/template.hpp"

#include "services/template/jinja/interpreter.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/template_impl.hpp"

namespace notso::services::jinja {

Result<std::shared_ptr<const Template>> Template::parse(std::string_view source, Options options) {
    return TemplateImpl::make(source, {}, std::move(options));
}

Result<std::shared_ptr<const TemplateImpl>> TemplateImpl::make(std::string_view source,
                                                               std::string name,
                                                               Options options) {
    const Limits& limits = options.limits;
    if (source.size() > limits.max_source_bytes) {
        return fail(ErrorCode::kTooLarge,
                    "the template has {} bytes, {} are allowed",
                    source.size(),
                    limits.max_source_bytes);
    }
    const MemoryMeter::Paused paused;  // templates outlive the rendering that loads them
    SourceText text(source, std::move(name));
    NOTSO_TRY(auto tokens, tokenize(text, {options.trim_blocks, options.lstrip_blocks}));
    const KnownNames known{[](std::string_view filter) { return find_filter(filter) != nullptr; },
                           [](std::string_view test) { return find_test(test) != nullptr; }};
    NOTSO_TRY(auto parsed, Parser(text, std::move(tokens), limits.max_depth, known).parse());
    return std::make_shared<const TemplateImpl>(
        std::move(text), std::move(parsed), std::move(options));
}

Result<std::shared_ptr<const TemplateImpl>> TemplateImpl::load(const std::string& name) const {
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = loaded_.find(name); found != loaded_.end()) return found->second;
    }
    const auto source = options_.loader(name);
    if (!source) return nullptr;
    Options options = options_;
    options.loader = {};
    NOTSO_TRY(auto made, make(*source, name, std::move(options)));
    const std::lock_guard lock(mutex_);
    return loaded_.emplace(name, std::move(made)).first->second;
}

Result<std::string> TemplateImpl::render(const RenderInput& input) const {
    return Interpreter(*this, input).run();
}

Value value_from_json(const boost::json::value& json) {
    switch (json.kind()) {
        case boost::json::kind::null:
            return Value::none();
        case boost::json::kind::bool_:
            return Value::boolean(json.get_bool());
        case boost::json::kind::int64:
            return Value::integer(json.get_int64());
        case boost::json::kind::uint64:
            if (json.get_uint64() <= INT64_MAX)
                return Value::integer(static_cast<std::int64_t>(json.get_uint64()));
            return Value::real(static_cast<double>(json.get_uint64()));
        case boost::json::kind::double_:
            return Value::real(json.get_double());
        case boost::json::kind::string:
            return Value::string(std::string(json.get_string()));
        case boost::json::kind::array: {
            std::vector<Value> items;
            items.reserve(json.get_array().size());
            for (const auto& item : json.get_array()) items.push_back(value_from_json(item));
            return Value::list(std::move(items));
        }
        case boost::json::kind::object:
            break;
    }
    auto dict = std::make_shared<Dict>();
    for (const auto& [key, value] : json.get_object()) dict->set(key, value_from_json(value));
    return Value::dict(std::move(dict));
}

}  // namespace notso::services::jinja
