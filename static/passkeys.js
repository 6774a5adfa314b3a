/* What allauth's own script leaves open: shows the buttons for passkeys where there can be any, and
   says what went wrong when the browser gives none. */
(function () {
  'use strict'

  function say (words) {
    const place = document.getElementById('passkey-error')
    // Emptied first, so that the same words are read out again.
    place.textContent = ''
    place.textContent = words
    place.hidden = false
  }

  function begin () {
    const place = document.getElementById('passkey-error')
    const supported = window.PublicKeyCredential !== undefined
    document.querySelectorAll('[data-passkey]').forEach(function (each) { each.hidden = !supported })
    // A page that is of no use without says so before this runs.
    if (!place.hidden && !supported) say(place.dataset.unsupported)
    else place.hidden = true
  }

  // At once: it stands behind all that it shows, and before what would be moved by that.
  begin()
  document.addEventListener('allauth.error', function (event) {
    event.preventDefault()
    const words = document.getElementById('passkey-error').dataset
    const name = event.detail.exception.name
    say({ InvalidStateError: words.known, SecurityError: words.insecure }[name] || words.failed)
  })
})()
