"""The pages of the door and of the profile."""

from fastapi import APIRouter

from everyline.account import door, profile

router = APIRouter()
router.include_router(door.router)
router.include_router(profile.router)
