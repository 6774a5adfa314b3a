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

  function shows () {
    const place = document.getElementById('passkey-error')
    const supported = window.PublicKeyCredential !== undefined
    document.querySelectorAll('[data-passkey]').forEach(function (each) { each.hidden = !supported })
    if (!supported && place.dataset.required !== undefined) say(place.dataset.unsupported)
  }

  document.addEventListener('DOMContentLoaded', shows)
  document.addEventListener('allauth.error', function (event) {
    event.preventDefault()
    const words = document.getElementById('passkey-error').dataset
    const name = event.detail.exception.name
    say({ InvalidStateError: words.known, SecurityError: words.insecure }[name] || words.failed)
  })
})()
