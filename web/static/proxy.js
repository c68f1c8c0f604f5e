"use strict";
// Over plain HTTP, behind a proxy that changes Host, the site could not tell its own pages from another site's.
{
  const notice = document.getElementById("proxy"), { host, root } = notice.dataset;
  if (host && host.toLowerCase() !== location.host) {
    notice.querySelector("code").textContent = `--address ${new URL(root, location.href).href}`;
    notice.hidden = false;
  }
}
