// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// The script of the page that apps load in a hidden frame to learn whether a sign-in has changed (OpenID Connect Session
// Management 1.0). It answers "unchanged", "changed" or "error", to the frame that asked and to its origin alone.
"use strict";
(() => {
  const name = "__Host-lg_ss=";
  const state = () => (document.cookie.split("; ").find((c) => c.startsWith(name)) || name).slice(name.length);
  const encode = (sum) => btoa(String.fromCharCode(...new Uint8Array(sum))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const check = async (asked, origin) => {
    const parts = typeof asked === "string" && asked.length < 2048 ? asked.split(" ") : [];
    const [hash, salt] = (parts[1] || "").split(".");
    if (parts.length !== 2 || !parts[0] || !hash || !salt) return "error";
    const text = [parts[0], origin, state(), salt].join(" ");
    const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return encode(sum) === hash ? "unchanged" : "changed";
  };

  addEventListener("message", async (e) => {
    if (!e.source || !e.origin || e.origin === "null") return;
    e.source.postMessage(await check(e.data, e.origin).catch(() => "error"), e.origin);
  });
})();
