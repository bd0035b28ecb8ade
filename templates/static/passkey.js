// Passkeys and security keys: the one thing here that no page can do without a script. No library, nothing inline.
(function () {
  'use strict';

  function bytes(text) {
    var plain = window.atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    return Uint8Array.from(plain, function (c) { return c.charCodeAt(0); });
  }

  function text(buffer) {
    if (!buffer) { return ''; }
    var plain = Array.from(new Uint8Array(buffer), function (b) { return String.fromCharCode(b); }).join('');
    return window.btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }

  function withBytes(list) {
    return list.map(function (item) { return Object.assign({}, item, { id: bytes(item.id) }); });
  }

  // ask starts what the browser does with the owner of the key, and returns the promise of its answer.
  function ask(form) {
    var options = JSON.parse(form.getAttribute('data-options'));
    options.challenge = bytes(options.challenge);
    if (form.getAttribute('data-passkey') === 'create') {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = withBytes(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = withBytes(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }

  // written is what is posted: as much of PublicKeyCredential.toJSON() as is needed, which not every browser has.
  function written(credential) {
    var r = credential.response;
    var answer = { id: text(credential.rawId), type: credential.type, response: { clientDataJSON: text(r.clientDataJSON) } };
    if (r.attestationObject) {
      answer.response.attestationObject = text(r.attestationObject);
      answer.response.transports = r.getTransports ? r.getTransports() : [];
    } else {
      answer.response.authenticatorData = text(r.authenticatorData);
      answer.response.signature = text(r.signature);
      answer.response.userHandle = text(r.userHandle);
    }
    return JSON.stringify(answer);
  }

  function notes() { return document.querySelectorAll('[data-passkey-note]'); }

  function clear() {
    notes().forEach(function (note) { note.hidden = true; note.removeAttribute('role'); });
  }

  // tell shows one of the sentences that the page holds ready.
  function tell(what) {
    clear();
    var error = document.getElementById('error');
    if (error) { error.hidden = true; }
    var note = document.querySelector('[data-passkey-note="' + what + '"]');
    if (!note) { return; }
    note.setAttribute('role', 'alert');
    note.hidden = false;
    note.focus();
  }

  function reason(err) {
    switch (err && err.name) {
      case 'InvalidStateError': return 'known';
      case 'SecurityError': case 'NotSupportedError': return 'unsupported';
      default: return 'refused';
    }
  }

  function start(form, button) {
    var field = form.elements.namedItem('passkey');
    button.setAttribute('aria-busy', 'true');
    clear();
    var asked;
    try { asked = ask(form); } catch (err) { asked = Promise.reject(err); }
    asked.then(function (credential) {
      field.value = written(credential);
      button.removeAttribute('aria-busy');
      if (form.requestSubmit) { form.requestSubmit(button); } else { HTMLFormElement.prototype.submit.call(form); }
    }).catch(function (err) {
      field.value = '';
      button.removeAttribute('aria-busy');
      tell(reason(err));
    });
  }

  var form = document.querySelector('form[data-passkey]');
  if (!form) { return; }
  var main = form.querySelector('button.primary');

  if (!window.PublicKeyCredential || !navigator.credentials) {
    main.remove();
    tell('unsupported');
    return;
  }

  form.addEventListener('submit', function (event) {
    var button = event.submitter || main;
    // Cancel and Not now need no key, and an answer is sent once it is there.
    if (button !== main || form.elements.namedItem('passkey').value) { return; }
    event.preventDefault();
    // The one-press rule of lychgate.js is for what is sent.
    event.stopPropagation();
    if (!main.hasAttribute('aria-busy')) { start(form, main); }
  });

  // A page that comes back by the Back button asks anew.
  window.addEventListener('pageshow', function () { form.elements.namedItem('passkey').value = ''; });
}());
