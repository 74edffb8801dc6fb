// Files of the next message: chosen, dropped or pasted, sent to the server at once, shown above the composer until they
// go with a message. Without script the form takes them along.
(() => {
  const form = document.getElementById("composer");
  const picker = document.getElementById("file-input");
  if (!form || !picker) return;

  const kMost = 10;
  const kMostBytes = 20 * 1024 * 1024;
  const address = picker.dataset.files;
  const shelf = () => document.getElementById("files");
  const fill = (text, value) => text.replace("%s", () => value);
  const tell = (text) => { document.getElementById("announcer").textContent = text; };
  const complain = (text) => document.dispatchEvent(new CustomEvent("notso:alert", { detail: text }));

  form.enctype = "application/x-www-form-urlencoded";
  picker.removeAttribute("name");

  // One request after the other: each answer has the list as it is then.
  let queue = Promise.resolve();
  function ask(path, body, events) {
    const request = new XMLHttpRequest();
    queue = queue.then(() => new Promise((resolve) => {
      if (request.given_up) return resolve();
      request.open(body ? "POST" : "GET", path);
      request.setRequestHeader("HX-Request", "true");
      request.responseType = "document";
      request.upload.onprogress = (event) => events.progress?.(event.loaded / event.total);
      request.onerror = () => events.failed(say("The server can’t be reached: try again in a moment."));
      request.onload = () => {
        const page = request.response;
        if (request.status === 200) return events.done(page.getElementById("files"));
        events.failed(page?.body.textContent.trim() || fill(say("That did not work: the server answered %s."), request.status));
      };
      request.onloadend = resolve;
      request.send(body);
    }));
    return request;
  }

  // What the server has, then what is still on its way.
  function show(list) {
    list.append(...shelf().querySelectorAll(".coming"));
    shelf().replaceWith(list);
  }

  function chip(file) {
    const made = document.createElement("li");
    made.className = "coming";
    const name = document.createElement("span");
    name.className = "file-name";
    name.textContent = file.name;
    const progress = document.createElement("progress");
    progress.value = 0;
    progress.setAttribute("aria-label", fill(say("Sending %s"), file.name));
    const stop = document.createElement("button");
    stop.type = "button";
    stop.className = "icon quiet";
    stop.setAttribute("aria-label", fill(say("Remove %s"), file.name));
    stop.textContent = "×";
    made.append(name, progress, stop);
    shelf().append(made);
    return { made, progress, stop };
  }

  function send(file) {
    if (shelf().children.length >= kMost) return complain(fill(say("A message takes at most %s files."), kMost));
    if (file.size > kMostBytes) return complain(fill(say("%s is too large: at most 20 MiB."), file.name));
    const { made, progress, stop } = chip(file);
    const body = new FormData();
    body.append("files", file, file.name);
    complain("");
    const request = ask(address, body, {
      progress: (share) => { progress.value = share; },
      done: (list) => {
        made.remove();
        show(list);
        tell(fill(say("%s is attached"), file.name));
      },
      failed: (why) => {
        made.remove();
        complain(why);
      },
    });
    stop.addEventListener("click", () => {
      request.given_up = true;
      request.abort();
      made.remove();
    });
  }

  const send_all = (files) => { for (const file of files) send(file); };

  picker.addEventListener("change", () => {
    send_all(picker.files);
    picker.value = "";
  });
  document.addEventListener("paste", (event) => {
    const { files } = event.clipboardData;
    if (files.length === 0 || event.clipboardData.getData("text/plain")) return;
    event.preventDefault();
    send_all(files);
  });
  const has_files = (event) => event.dataTransfer?.types.includes("Files");
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      if (!has_files(event)) return;
      event.preventDefault();
      form.classList.toggle("dropping", name === "dragover");
      if (name === "drop") send_all(event.dataTransfer.files);
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#files button[formaction]");
    if (!button) return;
    event.preventDefault();
    const name = button.parentElement.querySelector(".file-name").textContent;
    ask(button.formAction, new URLSearchParams({ file: button.value }), {
      done: (list) => {
        show(list);
        document.getElementById("message").focus();
        tell(fill(say("%s was removed"), name));
      },
      failed: complain,
    });
  });

  form.addEventListener("submit", (event) => {
    if (!shelf().querySelector(".coming")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    complain(say("A file is still on its way: wait for it, or remove it."));
  }, { capture: true });

  // They leave with their message; when that fails they are back.
  // One that waited and was withdrawn gives them back, in every tab.
  const count_waiting = () => document.querySelectorAll("#waiting .file-size").length;
  let waiting = count_waiting();
  new MutationObserver(() => {
    const now = count_waiting();
    if (now < waiting) ask(address, null, { done: show, failed: complain });
    waiting = now;
  }).observe(document.getElementById("dock"), { childList: true });

  const is_ours = (event) => event.detail?.ctx?.sourceElement === form;
  form.addEventListener("htmx:before:request", (event) => {
    if (!is_ours(event)) return;
    const { ctx } = event.detail;
    if (ctx.is_command) return;  // they wait for a message
    ctx.files = [...shelf().children].filter((item) => ctx.request.body.has(item.querySelector("input")?.name));
    for (const item of ctx.files) item.remove();
  });
  for (const name of ["htmx:response:error", "htmx:error"]) {
    form.addEventListener(name, (event) => {
      if (is_ours(event)) shelf().prepend(...event.detail.ctx.files ?? []);
    });
  }
})();
