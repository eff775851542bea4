"""
Label archives from AI-Hub: lists, sizes, approval, tar streams to whole zips, and their record; parts of a zip joined.

Only this room talks to AI-Hub, only when it is called, with the user's own key and approval; around a block it knows no way.
"""
