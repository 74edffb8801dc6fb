// What a remote server says of its models: the reply to GET /models, in the dialects of
// llama-server, vLLM, notso and others.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

struct RemoteModel {
    std::string id;                   ///< As requests must name it.
    std::string name;                 ///< For people.
    std::int64_t context_length = 0;  ///< Tokens; 0 = not told.
    std::uint64_t n_parameters = 0;   ///< 0 = not told.
    bool can_think = true;            ///< Unless the server says no: most don't say.
};

/// The model to use. @param wanted  Its id; empty: the first in the list. A wanted one that is not
/// listed is used as it is: servers know aliases that they don't list.
/// @errors kNotFound: none is wanted and none listed; kCorruptData: this is no list of models.
Result<RemoteModel> choose_remote_model(const boost::json::value& listing, std::string_view wanted);

}  // namespace notso::services
