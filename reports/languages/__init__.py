"""The languages of the report and the site: which one is spoken, its catalogue of messages, its numbers and dates.

English is the language of the code, of `run.json`, of the console and of the documents. A message is an English text
in `gettext` or `ngettext`; it is looked up when a page is made, in the language of the page.
"""
