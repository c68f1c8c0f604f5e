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
