// The pool of frames; see frame.hpp.
#include "services/template/jinja/frame.hpp"

#include "services/template/jinja/template_impl.hpp"

namespace notso::services::jinja {

Frame* FramePool::acquire(Frame* parent, Context* context) {
    Frame* frame = nullptr;
    if (free_.empty()) {
        frame = &frames_.emplace_back();
    } else {
        frame = free_.back();
        free_.pop_back();
    }
    frame->parent = parent;
    frame->context = context;
    return frame;
}

void FramePool::release(Frame* frame) {
    if (frame->captured) return;
    frame->variables.clear();
    free_.push_back(frame);
}

void FramePool::capture(Frame* frame) {
    for (; frame != nullptr && !frame->captured; frame = frame->parent) frame->captured = true;
}

void FramePool::clear() {
    for (Frame& frame : frames_) frame.variables.clear();
    for (Context& context : contexts_) context.exported.variables.clear();
}

}  // namespace notso::services::jinja
