// The way to the machine: one stream of screens, and touches one after the other.

let session = "";
let queue = Promise.resolve();

export async function take() {
  const answer = await fetch("/session", { method: "POST" });
  if (!answer.ok) throw new Error("no session");
  session = (await answer.json()).session;
}

export async function watch(onFrame) {
  const answer = await fetch("/screens", { headers: { "kiosk-session": session } });
  if (!answer.ok) return "taken";
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return "lost";
    waiting += value;
    const events = waiting.split("\n\n");
    waiting = events.pop();
    for (const event of events) {
      if (event.startsWith("event: taken")) return "taken";
      onFrame(JSON.parse(event.slice("data: ".length)));
    }
  }
}

function post(path, content) {
  const send = () =>
    fetch(path, {
      method: "POST",
      headers: { "kiosk-session": session, "content-type": "application/json" },
      body: JSON.stringify(content),
    }).catch(() => null);
  queue = queue.then(send);
  return queue;
}

export function touch(screen, what) {
  return post("/touch", { screen, touch: what });
}

export function turn(fault, on) {
  return post("/operator", { fault, on });
}

const pictures = new Map();

export async function picture(paper, sheet) {
  const name = `${paper}/${sheet}`;
  if (!pictures.has(name)) {
    const answer = await fetch(`/paper/${name}`, { headers: { "kiosk-session": session } });
    if (!answer.ok) return null;
    pictures.set(name, URL.createObjectURL(await answer.blob()));
  }
  return pictures.get(name);
}

export function forgetPictures() {
  for (const address of pictures.values()) URL.revokeObjectURL(address);
  pictures.clear();
}
