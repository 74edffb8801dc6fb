// A parsed template and those it loads; immutable but for the cache of loaded ones.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "services/template/jinja/parser.hpp"
#include "services/template/template.hpp"

namespace notso::services::jinja {

class TemplateImpl final : public Template {
  public:
    TemplateImpl(SourceText source, ParsedTemplate parsed, Options options)
        : source_(std::move(source)), parsed_(std::move(parsed)), options_(std::move(options)) {}

    Result<std::string> render(const RenderInput& input) const override;

    const SourceText& source() const { return source_; }
    const ParsedTemplate& parsed() const { return parsed_; }
    const Options& options() const { return options_; }

    /// The template that the loader has under this name (parsed once); nullptr when there is none.
    /// Thread-safe.
    /// @errors those of Template::parse.
    Result<std::shared_ptr<const TemplateImpl>> load(const std::string& name) const;

    static Result<std::shared_ptr<const TemplateImpl>> make(std::string_view source,
                                                            std::string name,
                                                            Options options);

  private:
    SourceText source_;
    ParsedTemplate parsed_;
    Options options_;
    mutable std::mutex mutex_;
    mutable std::map<std::string, std::shared_ptr<const TemplateImpl>> loaded_;
};

}  // namespace notso::services::jinja
