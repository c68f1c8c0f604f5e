const unanswered = new Map();

// Sends something that is stored once, however often the same is sent before an answer comes: its token stays the same.
export async function sendOnce(address, content) {
  const same = JSON.stringify([address, content]);
  if (!unanswered.has(same)) {
    const digits = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0"));
    unanswered.set(same, digits.join(""));
  }
  const answer = await send(address, { ...content, token: unanswered.get(same) });
  unanswered.delete(same);
  return answer;
}

// Sends something to be stored; what the site or a proxy answers instead of storing it becomes the error's message.
export async function send(address, content) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Requested-With": "musc" },
    body: JSON.stringify(content),
  });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  let message = text;
  try { message = JSON.parse(text).error ?? text; } catch { /* plain text already */ }
  throw new Error(message);
}
