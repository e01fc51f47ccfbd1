/* Has the cart quoted before the checkout opens: {% xcover_prepare %}. */
fetch(document.currentScript.dataset.offer);
