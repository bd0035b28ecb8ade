// Everything here is an improvement: each page works without it. No library, no inline part, nothing from outside.
(function () {
  'use strict';

  // Buttons that need a script are shown from the first paint on, so that nothing jumps.
  document.documentElement.classList.add('js');

  // The text of an element: a list line by line, the key of a set-up without the spaces that group it.
  function textOf(el) {
    if (el.tagName === 'OL') {
      return Array.from(el.children, function (item) { return item.textContent.trim(); }).join('\n') + '\n';
    }
    var text = el.textContent.trim();
    return el.classList.contains('key') ? text.replace(/\s+/g, '') : text;
  }

  function select(el) {
    var range = document.createRange();
    range.selectNodeContents(el);
    var selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  function tell(source) {
    var status = document.getElementById('copy-status');
    if (!status) { return; }
    status.textContent = '';
    // A reader tells the same words again only if they were gone for a moment.
    window.setTimeout(function () {
      var row = source.closest('.copyline');
      var name = row ? row.querySelector('dt') : null;
      status.textContent = (name ? name.textContent + ': ' : '') + status.getAttribute('data-copied');
    }, 50);
  }

  function copy(source) {
    if (navigator.clipboard) {
      navigator.clipboard.writeText(textOf(source)).then(function () { tell(source); }, function () { select(source); });
      return;
    }
    // Without a secure context the person gets the words marked, ready to be copied by hand.
    select(source);
  }

  function reveal(button) {
    var input = document.getElementById(button.getAttribute('data-reveal'));
    if (!input) { return; }
    var shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
  }

  document.addEventListener('click', function (event) {
    var button = event.target.closest('button');
    if (!button) { return; }
    if (button.hasAttribute('data-reveal')) { reveal(button); }
    if (button.hasAttribute('data-print')) { window.print(); }
    if (button.hasAttribute('data-copy')) {
      var source = document.getElementById(button.getAttribute('data-copy'));
      if (source) { copy(source); }
    }
  });

  // One press is enough: the second one of the same form is ignored while the first is under way.
  document.addEventListener('submit', function (event) {
    var form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = '1';
    // A password that is shown goes back to dots, so that the browser's manager offers to keep it.
    form.querySelectorAll('button[aria-pressed="true"][data-reveal]').forEach(reveal);
    var button = event.submitter || form.querySelector('button');
    if (button) { button.setAttribute('aria-busy', 'true'); }
  });

  // A page that comes back by the Back button must be usable again.
  window.addEventListener('pageshow', function () {
    document.querySelectorAll('form[data-sent]').forEach(function (form) { delete form.dataset.sent; });
    document.querySelectorAll('[aria-busy]').forEach(function (el) { el.removeAttribute('aria-busy'); });
  });

  // autofocus leads to the error as well, but not every browser does it for an element that is no field.
  window.addEventListener('load', function () {
    window.requestAnimationFrame(function () {
      window.requestAnimationFrame(function () {
        var error = document.getElementById('error');
        if (error && document.activeElement === document.body) { error.focus(); }
      });
    });
  });

  document.addEventListener('DOMContentLoaded', function () {
    var form = document.querySelector('form[data-auto-submit]');
    // A field called "submit" would hide the method of the form.
    if (form) { HTMLFormElement.prototype.submit.call(form); }
  });
}());
