/* Tells the server in which zone whoever reads is, so that the next page has their times. */
(function () {
  'use strict'

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  // Of a browser that keeps no zone to itself; the server looks whether there is one of this name.
  if (!zone || !/^[\w+\-/]+$/.test(zone)) return
  const told = 'time_zone=' + zone
  if (document.cookie.split('; ').includes(told)) return
  const safe = location.protocol === 'https:' ? '; secure' : ''
  document.cookie = told + '; path=/; max-age=31536000; samesite=lax' + safe
})()
