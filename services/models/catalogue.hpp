// Where models come from: short names, OWNER/REPO/FILE.gguf on a hub, or any http(s) address. Turns
// what a person typed into an address and a file name that is safe to create.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

/// The hub that short names and OWNER/REPO/FILE.gguf are taken from.
inline constexpr std::string_view kDefaultHub = "https://huggingface.co";

/// A model that has a short name. No hash stands here: the hub's own pointer names it when the
/// model is fetched.
struct CatalogueEntry {
    std::string_view name;      ///< "smollm3"
    std::string_view hub_path;  ///< OWNER/REPO/FILE.gguf
    std::string_view about;     ///< For people, a few words.

    /// What the file is called once installed.
    std::string_view file_name() const { return hub_path.substr(hub_path.rfind('/') + 1); }
};

/// Every short name, the best model first.
std::span<const CatalogueEntry> model_catalogue();

/// Null for a name that is not in the catalogue.
const CatalogueEntry* find_in_catalogue(std::string_view name);

struct ModelSource {
    std::string file_name;         ///< A plain name that ends in ".gguf".
    std::string url;               ///< The file itself.
    std::string pointer_url = {};  ///< The hub's text with hash and size; empty: there is none.
};

/// @param what  a name of the catalogue, OWNER/REPO/FILE.gguf (also behind hf.co/), or an address.
/// @param hub   scheme and host, without a slash at the end.
/// @errors kNotFound for a name that nobody knows, with those that are known; kInvalidArgument for
/// an address that can't be one; kUnsupported for one part of a split model.
Result<ModelSource> find_model_source(std::string_view what, std::string_view hub = kDefaultHub);

}  // namespace notso::services
