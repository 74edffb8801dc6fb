// Scopes of a running template. A frame holds the variables of one scope; a context holds what one
// template (with the templates it extends) exports, and its blocks.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "services/template/jinja/ast.hpp"
#include "services/template/jinja/value.hpp"

namespace notso::services::jinja {

class TemplateImpl;
struct Context;

/// Variables of one scope. Names point into syntax trees, which outlive the rendering.
struct Frame {
    Frame* parent = nullptr;
    Context* context = nullptr;
    std::vector<std::pair<std::string_view, Value>> variables = {};
    bool captured = false;  ///< A macro holds it: it lives until the rendering ends.

    const Value* find(std::string_view name) const {
        for (auto it = variables.rbegin(); it != variables.rend(); ++it) {
            if (it->first == name) return &it->second;
        }
        return nullptr;
    }
    void set(std::string_view name, Value value) {
        for (auto& [known, held] : variables) {
            if (known == name) {
                held = std::move(value);
                return;
            }
        }
        variables.emplace_back(name, std::move(value));
    }
};

/// A block and the template it stands in.
struct BlockEntry {
    const BlockStmt* block;
    const TemplateImpl* owner;
};

struct Context {
    const TemplateImpl* owner = nullptr;
    Frame exported = {};  ///< Scope of the template's top level.
    const Dict* variables =
        nullptr;  ///< What the caller passed in; nullptr for imports without context.
    /// Per name from the most derived template to the base.
    std::map<std::string_view, std::vector<BlockEntry>> blocks = {};
    std::shared_ptr<const TemplateImpl> parent = {};  ///< Set by extends.
    std::vector<std::string_view> imported = {};      ///< Top-level names that are not exported.
};

/// Owns frames and contexts; frames that no macro holds are used again.
class FramePool {
  public:
    Frame* acquire(Frame* parent, Context* context);
    void release(Frame* frame);
    /// Keeps the frame and those around it alive until the rendering ends.
    static void capture(Frame* frame);
    Context* make_context() { return &contexts_.emplace_back(); }
    /// Drops all values, before what they point to goes away.
    void clear();

  private:
    std::deque<Frame> frames_;
    std::deque<Context> contexts_;
    std::vector<Frame*> free_;
};

/// A frame for a C++ scope.
class FrameScope {
  public:
    FrameScope(FramePool& pool, Frame* parent, Context* context)
        : pool_(pool), frame_(pool.acquire(parent, context)) {}
    ~FrameScope() { pool_.release(frame_); }
    FrameScope(const FrameScope&) = delete;
    FrameScope& operator=(const FrameScope&) = delete;
    Frame& operator*() const { return *frame_; }
    Frame* operator->() const { return frame_; }
    Frame* get() const { return frame_; }

  private:
    FramePool& pool_;
    Frame* frame_;
};

}  // namespace notso::services::jinja
