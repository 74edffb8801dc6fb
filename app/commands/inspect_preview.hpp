// The part of `notso inspect` that says what will run.
#pragma once

#include <boost/json.hpp>

#include "ml/gguf/file.hpp"
#include "ml/model/preview.hpp"

namespace notso::app {

/// The object "runs" of inspect --json; docs/commands.md lists its fields.
boost::json::object preview_json(const ml::gguf::File& file, const ml::ModelPreview& preview);

/// The same for people, on stdout. Strings of the file are escaped.
void print_preview(const ml::gguf::File& file, const ml::ModelPreview& preview);

}  // namespace notso::app
