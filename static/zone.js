/* Tells the server in which zone whoever reads is, so that the next page has their times. */
(function () {
  'use strict'

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  // Of a browser that keeps no zone to itself; the server looks whether there is one of this name.
  if (!zone || !/^[\w+\-/]+$/.test(zone)) return
  // No neighbour under the same domain can write a cookie of such a name (accounts/reader.py).
  const safe = location.protocol === 'https:'
  const told = (safe ? '__Host-' : '') + 'time_zone=' + zone
  if (document.cookie.split('; ').includes(told)) return
  document.cookie = told + '; path=/; max-age=31536000; samesite=lax' + (safe ? '; secure' : '')
})()
