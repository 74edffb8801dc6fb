// Version of the layer; keeps the target non-empty from the first day.
#include "base/result.hpp"
