"""The story of the demo: a logistics company, its customers, and six weeks of their mail. All of it made up.

cast.py        who writes: customers, suppliers, colleagues
letter.py      one message before it is bytes, and the bytes
attachments.py small files that open: PDF, PNG, JPEG, XLSX, DOCX, CSV, ICS
conversation.py several letters with their times; what a mailbox holds on the first day
kontakt.py, oferty.py, personal.py, others.py: the letters themselves, by mailbox
oddities.py    bounces, robots, old code pages, damage
first_day.py   all of it into the mail store
answers.py     what customers say when they are written to, and when they write by themselves
"""
